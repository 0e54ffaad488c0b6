/** The demo's incident on the first page: named, and followed to what proves it. */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { violations } from './support/axe.mjs'
import { launch, until, Watched } from './support/browser.mjs'
import { Recorder } from './support/recorder.mjs'

/** The story comes to the first pod that does not run within this, on a busy machine too. */
const STORY_MS_MAX = 180_000
/** What a pod can have. */
const POD_TROUBLES = ['image_pull', 'crash_loop', 'oom_killed']

let recorder
let browser
let desk
let page

before(async () => {
  recorder = await Recorder.demo()
  browser = await launch()
  desk = await Watched.open(browser, recorder.url)
  page = await desk.logIn(recorder.key)
})

after(async () => {
  await browser?.close()
  await recorder?.stop()
})

async function trouble() {
  const { problems } = await recorder.get('problems')
  return problems.find(({ kind, objects }) => POD_TROUBLES.includes(kind) && objects[0]?.uid)
}

function shown(problem) {
  const list = page.getByRole('list', { name: /^Problems/ })
  return list.getByRole('article').filter({ hasText: problem.title })
}

test('what is wrong is named on the first page, with its severity in a word', async () => {
  const problem = await until('trouble in the demo', trouble, STORY_MS_MAX)
  // Counts in a title grow: the newest one is looked for.
  const article = await until('the problem on the page', async () => {
    const one = shown((await trouble()) ?? problem)
    return (await one.count()) === 1 && one
  })
  await article.getByText(/critical|warning/).first().waitFor()
  assert.deepEqual(await violations(page), [])
})

test('its proof says from when on it counts, and leads to the object', async () => {
  const toObject = page.locator('a[href^="#/cluster?uid="][href*="seq="]')
  const article = page.getByRole('article').filter({ has: toObject }).first()
  await article.getByText(/^Proof/).click()
  const { problems } = await recorder.get('problems')
  const said = await article.getByRole('paragraph').allInnerTexts()
  assert.ok(
    problems.some(({ threshold }) => threshold !== '' && said.includes(threshold)),
    said.join('\n'),
  )
  await article.locator(toObject).first().click()
  await page.getByRole('complementary').getByRole('heading', { level: 2 }).waitFor()
  assert.match(page.url(), /#\/cluster\?uid=.+&seq=\d+/)
})

test('volumes and probes of the demo are listed, the recorder\u2019s own volume first', async () => {
  await page.goto(`${recorder.url}#/volumes`)
  const table = page.getByRole('table', { name: /^Volumes/ })
  await table.getByRole('row').nth(1).getByText("the recorder's own").waitFor()
  await table.getByRole('row').nth(1).getByText(/\d+ %/).waitFor()
  await table.getByRole('row').nth(1).getByRole('button').click()
  await page.getByRole('heading', { name: 'Recorded states' }).waitFor()
  await page.goto(`${recorder.url}#/probes`)
  const probes = page.getByRole('table', { name: /^Probes/ })
  await probes.getByRole('row').nth(1).getByText(/answers|fails/).waitFor()
})

test('nothing left the origin and nothing failed meanwhile', () => desk.check())
