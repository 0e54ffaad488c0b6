/** Runbooks and test sequences: tried out, run, read while they run, and cancelled. */

import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { AppServerDouble } from './support/app-server.mjs'
import { violations } from './support/axe.mjs'
import { launch, until, Watched } from './support/browser.mjs'
import { Recorder } from './support/recorder.mjs'

const KEY = 'the key of this test'

let appServer
let recorder
let browser
let desk
let page
let dir

before(async () => {
  appServer = await AppServerDouble.start()
  dir = await mkdtemp(join(tmpdir(), 'monitor-backend-browser-'))
  const config = join(dir, 'config.toml')
  await writeFile(config, configuration(appServer.url))
  recorder = await Recorder.alone(KEY, '--config', config)
  recorder.key = KEY
  browser = await launch()
  desk = await Watched.open(browser, recorder.url)
  page = await desk.logIn(KEY)
})

after(async () => {
  await browser?.close()
  await recorder?.stop()
  await appServer?.stop()
  if (dir) await rm(dir, { recursive: true, force: true })
})

function configuration(url) {
  return `
[app_server]
http_url = "${url}"

[[runbooks]]
name = "greet"
what = "Asks the app-server to greet somebody."
args = [{ name = "who", what = "Whom.", choices = ["world", "admin"] }]
steps = [{ kind = "http", url = "${url}/greet/{args.who}" }]

[[runbooks]]
name = "watch"
what = "Follows what the app-server says until it is told to stop."
steps = [{ kind = "http", url = "${url}/slow" }]

[[test_sequences]]
name = "two-requests"
what = "A request that is answered, and one that is not, twice."
steps = [
  { http = { method = "GET", path = "/first" } },
  { stepBatch = { repeatCount = 2, steps = [{ http = { method = "GET", path = "/missing" } }] } },
]
`
}

function runbook(name) {
  return page.getByRole('form', { name, exact: true })
}

/** Confirms what the open dialog asks. */
async function confirm(button) {
  const dialog = page.getByRole('dialog')
  await until('the focus on the harmless button', () =>
    page.evaluate(() => document.activeElement?.hasAttribute('data-first-focus')),
  )
  await dialog.getByRole('button', { name: button, exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
}

test('a dry run says what would be done, and nothing is done', async () => {
  await page.goto(`${recorder.url}#/runbooks`)
  await runbook('greet').getByLabel('who').selectOption('admin')
  await runbook('greet').getByRole('button', { name: 'Dry run' }).click()
  const lines = page.getByRole('region', { name: 'Dry run of greet' })
  await lines.getByText(`GET ${appServer.url}/greet/admin`).waitFor()
  assert.deepEqual(await violations(page), [])
  assert.deepEqual(appServer.asked, [])
  assert.deepEqual((await recorder.get('actions')).actions, [])
})

test('a runbook is run after a question, and its lines are read', async () => {
  await runbook('greet').getByRole('button', { name: /^Run/ }).click()
  await page
    .getByRole('dialog')
    .getByText(`GET ${appServer.url}/greet/admin`)
    .waitFor()
  await confirm('Run')
  const pane = page.getByRole('complementary')
  await pane.getByRole('list', { name: /^Output/ }).getByText('asked for /greet/admin').waitFor()
  await pane.getByText('succeeded').waitFor()
  assert.deepEqual(appServer.asked, ['GET /greet/admin'])
})

test('lines are shown while it runs, and it is cancelled after a question', async () => {
  await page.getByRole('button', { name: 'Close the detail' }).click()
  await runbook('watch').getByRole('button', { name: /^Run/ }).click()
  await confirm('Run')
  const pane = page.getByRole('complementary')
  const output = pane.getByRole('list', { name: /^Output/ })
  await output.getByText('begun').waitFor()
  await pane.getByText('running').waitFor()
  appServer.say('a line that comes late')
  await output.getByText('a line that comes late').waitFor()
  assert.deepEqual(await violations(page), [])
  await pane.getByRole('button', { name: 'Cancel it' }).click()
  await confirm('Cancel it')
  await pane.getByText('cancelled').first().waitFor()
  await until('the end of the request', () => appServer.open === 0)
})

test('output that is read does not move, and says how much is new', async () => {
  await page.getByRole('button', { name: 'Close the detail' }).click()
  await runbook('watch').getByRole('button', { name: /^Run/ }).click()
  await confirm('Run')
  const output = page.getByRole('complementary').getByRole('list', { name: /^Output/ })
  await output.getByText('begun').waitFor()
  for (let n = 1; n <= 100; n++) appServer.say(`early ${n}.`)
  await output.getByText('early 100.').waitFor()
  await output.evaluate((box) => (box.scrollTop = 0))
  appServer.say('a new line')
  const toEnd = page.getByRole('button', { name: /^[1-9]\d* new line/ })
  await toEnd.waitFor()
  assert.equal(await output.evaluate((box) => box.scrollTop), 0)
  await toEnd.click()
  await until('the end in view', () =>
    output.evaluate((box) => box.scrollTop + box.clientHeight > box.scrollHeight - 8),
  )
  await page.getByRole('button', { name: 'Cancel it' }).click()
  await confirm('Cancel it')
})

test('a sequence is checked by the recorder before it runs', async () => {
  await page.goto(`${recorder.url}#/testing`)
  await page.getByText('Edit as text').click()
  const text = page.getByLabel('Steps as JSON')
  const whole = await text.inputValue()
  await text.fill('[')
  await page.getByText('The text is no sequence').waitFor()
  await text.fill('[{"http": {"method": "GET", "path": "/first"}, "colour": "red"}]')
  await page.getByRole('button', { name: 'Dry run' }).click()
  await page.getByText(/It would not be started: .*colour/).waitFor()
  await text.fill(whole)
})

test('steps are switched off, and what came of the others is counted', async () => {
  appServer.asked.length = 0
  await page.getByRole('checkbox', { name: '1 GET /first' }).uncheck()
  await page.getByRole('spinbutton', { name: 'Times that step 2' }).fill('3')
  await page.keyboard.press('Tab')
  await page.getByRole('button', { name: /^Run/ }).click()
  await confirm('Run')
  const pane = page.getByRole('complementary')
  await pane.getByText(/3 steps were run, 3 failed/).first().waitFor()
  await pane.getByRole('status').first().getByText('failed').first().waitFor()
  assert.deepEqual(appServer.asked, ['GET /missing', 'GET /missing', 'GET /missing'])
})

test('every run is on record, newest first', async () => {
  await page.goto(`${recorder.url}#/actions`)
  const table = page.getByRole('table', { name: /^Actions/ })
  await table.getByRole('row').nth(4).waitFor()
  const text = await table.innerText()
  assert.ok(text.indexOf('run-test-sequence') < text.indexOf('run-runbook'), text)
})

test('nothing left the origin and nothing failed meanwhile', () => desk.check(/status of 40[01]/))
