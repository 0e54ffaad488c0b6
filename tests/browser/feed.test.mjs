/** One live feed a browser: many tabs, and a recorder that goes away and comes back. */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { violations } from './support/axe.mjs'
import { drawnSeqs, launch, until, Watched } from './support/browser.mjs'
import { Recorder } from './support/recorder.mjs'

/** With a feed each, HTTP/1.1 would let six tabs have one, and no seventh would load at all. */
const TABS = 8

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

test('many tabs load, and all of them go on living', async () => {
  const tabs = []
  for (let index = 0; index < TABS; index++) tabs.push(await desk.page('/logs'))
  const { seq } = await recorder.get('status')
  for (const [index, tab] of tabs.entries()) {
    await until(`a new line in tab ${index + 1}`, async () => (await drawnSeqs(tab)).at(-1) > seq)
  }
  for (const tab of tabs) await tab.close()
  desk.check()
})

test('a browser without shared workers follows all the same', async () => {
  const plain = await Watched.open(browser, recorder.url)
  await plain.context.addInitScript(() => delete globalThis.SharedWorker)
  const tab = await plain.logIn(recorder.key)
  await tab.getByRole('link', { name: 'Logs' }).click()
  const { seq } = await recorder.get('status')
  await until('a new line', async () => (await drawnSeqs(tab)).at(-1) > seq)
  plain.check()
  await plain.context.close()
})

test('a log-out in one tab is one in all, and so is a log-in', async () => {
  const other = await desk.page()
  await other.getByRole('button', { name: 'Log out' }).click()
  await page.getByLabel('Admin key').waitFor()
  await page.getByLabel('Admin key').fill(recorder.key)
  await page.keyboard.press('Enter')
  await page.getByRole('navigation').waitFor()
  await other.getByRole('navigation').waitFor()
  await other.close()
})

test('a recorder that is gone is said to be, and what was known stays readable', async () => {
  await page.getByRole('link', { name: 'Logs' }).click()
  await until('lines', async () => (await drawnSeqs(page)).length > 0)
  await recorder.kill()
  await page.getByText('Disconnected since').waitFor()
  await page.getByText('kubectl port-forward svc/monitor-backend 5130').first().waitFor()
  await page.getByText(/OFFLINE \d\d:\d\d/).waitFor()
  assert.ok((await drawnSeqs(page)).length > 0)
  await page.getByRole('link', { name: 'Requests' }).click()
  await page.getByText('Disconnected: the recorder does not answer').waitFor()
  await page.getByRole('link', { name: 'Actions' }).click()
  await page.getByText('actions were not loaded before').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Start\u2026' }).count(), 0)
  assert.deepEqual(await violations(page), [])
})

test('when it is back, everything goes on by itself, with nothing missing or twice', async () => {
  await page.getByRole('link', { name: 'Logs' }).click()
  const last = await until('the known lines', async () => (await drawnSeqs(page)).at(-1))
  await recorder.start()
  await page.getByText('Disconnected since').waitFor({ state: 'detached' })
  await until('new lines', async () => (await drawnSeqs(page)).at(-1) > last)
  await page.getByRole('button', { name: 'Pause' }).click()
  const drawn = await drawnSeqs(page)
  const first = drawn[0]
  const newest = drawn.at(-1)
  const { entries, gaps } = await recorder.get(`logs?limit=1000&before=${newest + 1}`)
  const stored = [...entries, ...gaps.filter((gap) => !gap.source.startsWith('cluster/'))]
    .map((row) => row.seq)
    .filter((seq) => seq >= first)
    .toSorted((a, b) => a - b)
  assert.deepEqual(drawn, stored)
})
