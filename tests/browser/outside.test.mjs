/** The real pages of Prometheus and Alertmanager in a frame of the desk, from a port of their own. */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { launch, until, Watched } from './support/browser.mjs'
import { Running } from './support/monitoring.mjs'
import { Recorder } from './support/recorder.mjs'

const KEY = 'the key of this test'

let dir
let prometheus
let alertmanager
let recorder
let browser
let desk
let page

before(async () => {
  prometheus = await Running.prometheus()
  alertmanager = await Running.alertmanager()
  dir = await mkdtemp(join(tmpdir(), 'monitor-backend-outside-'))
  const config = join(dir, 'config.toml')
  await writeFile(
    config,
    `[outside.prometheus]\nurl = "${prometheus.url}"\n` +
      `[outside.alertmanager]\nurl = "${alertmanager.url}"\n`,
  )
  recorder = await Recorder.alone(KEY, '--config', config, '--tools-listen', '127.0.0.1:0')
  recorder.key = KEY
  browser = await launch()
  desk = await Watched.open(browser, recorder.url)
  page = await desk.logIn(KEY)
})

after(async () => {
  await browser?.close()
  await recorder?.stop()
  await prometheus?.stop()
  await alertmanager?.stop()
  if (dir) await rm(dir, { recursive: true, force: true })
})

/** Opens a tool in a frame of the desk's page, as the desk does it. */
async function frame(tool) {
  await page.evaluate(async (name) => {
    const body = JSON.stringify({ tool: name })
    const headers = { 'Content-Type': 'application/json' }
    const answer = await fetch('api/outside/tools-session', { method: 'POST', headers, body })
    const { url } = await answer.json()
    document.querySelector('#framed-tool')?.remove()
    const element = document.createElement('iframe')
    Object.assign(element, { id: 'framed-tool', name: 'framed-tool', src: url, width: '1000', height: '700' })
    document.body.prepend(element)
  }, tool)
  return page.frameLocator('#framed-tool')
}

/** Keeps a picture for whoever looks. */
async function picture(name) {
  if (process.env.PICTURES) await page.screenshot({ path: join(process.env.PICTURES, name) })
}

test('the desk knows how the tools are', async () => {
  const names = await until('both tools are up', async () => {
    const { tools } = await recorder.get('outside')
    return tools.every((tool) => tool.up) && tools.map((tool) => tool.name)
  })
  assert.deepEqual(names, ['prometheus', 'alertmanager'])
  await until('their states are on record', async () => {
    const { sources } = await recorder.get('sources')
    const outside = sources.filter((source) => source.name.startsWith('outside/'))
    return outside.length === 2 && outside.every((source) => source.state === 'up')
  })
})

test("Prometheus's own page runs a query in a frame", async () => {
  const tool = await frame('prometheus')
  await tool.locator('textarea[name=expr]').fill('vector(1234) + 1')
  await tool.getByRole('button', { name: 'Execute' }).first().click()
  await tool.getByText('1235').first().waitFor()
  await picture('prometheus.png')
  await tool.getByRole('link', { name: 'Alerts' }).click()
  await tool.getByText('No alerting rules defined').waitFor()
})

test("Alertmanager's own page makes a silence in a frame, on record", async () => {
  const tool = await frame('alertmanager')
  await tool.getByRole('link', { name: 'New Silence' }).click()
  await tool.locator('#filter-bar-matcher').fill('alertname="Loud"')
  await tool.getByRole('button', { name: '+' }).click()
  await tool.locator('label:has-text("Creator") + input').fill('an admin')
  await tool.locator('label:has-text("Comment") + textarea').fill('quiet')
  await picture('alertmanager.png')
  await tool.getByRole('button', { name: 'Create' }).click()
  const row = await until('the silence is on record', async () => {
    const { actions } = await recorder.get('actions')
    return actions.find((action) => action.action === 'tool-request' && action.outcome)
  })
  assert.deepEqual([row.outcome, row.args.method, row.args.tool], ['succeeded', 'POST', 'alertmanager'])
})

test('no other page may frame a tool', async () => {
  const url = await page.evaluate(() => document.querySelector('#framed-tool').src)
  const elsewhere = await desk.context.newPage()
  await elsewhere.goto(`${alertmanager.url}/-/healthy`)
  const refused = elsewhere.waitForEvent('console', (line) => /frame-ancestors/.test(line.text()))
  await elsewhere.evaluate((src) => {
    document.body.append(Object.assign(document.createElement('iframe'), { src }))
  }, new URL('/alertmanager/', url).href)
  await refused
  await elsewhere.close()
})

test('a tool that goes is told in its frame, and the desk goes on', async () => {
  await prometheus.stop()
  const tool = await frame('prometheus')
  await tool.getByRole('heading', { name: 'Prometheus is not answering' }).waitFor()
  await tool.getByText('It was last up at').waitFor()
  await picture('down.png')
  await page.getByRole('navigation').waitFor()
  await until('the source is down', async () => {
    const { sources } = await recorder.get('sources')
    return sources.some((source) => source.name === 'outside/prometheus' && source.state === 'down')
  })
})

test('nothing but the tools left the origin', () => {
  const root = new URL(page.frames()[1].url()).origin
  const foreign = desk.foreign.filter((url) => ![root, alertmanager.url].includes(new URL(url).origin))
  assert.deepEqual(foreign, [])
})
