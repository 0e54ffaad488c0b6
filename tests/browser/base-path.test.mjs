/** Behind a gateway that gives the desk a folder of its own, with nothing configured to observe. */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { launch, until, Watched } from './support/browser.mjs'
import { Recorder } from './support/recorder.mjs'

const KEY = 'the key of this test'

let recorder
let browser
let desk
let page

before(async () => {
  recorder = await Recorder.alone(KEY, '--base-path', '/monitor')
  browser = await launch()
  desk = await Watched.open(browser, `${recorder.url}monitor/`)
})

after(async () => {
  await browser?.close()
  await recorder?.stop()
})

test('the desk works under a base path', async () => {
  page = await desk.logIn(KEY)
  await page.getByText(/^.?\s*LIVE$/).first().waitFor()
  for (const name of ['Logs', 'Cluster', 'Journal', 'Overview']) {
    await page.getByRole('link', { name }).first().click()
    await page.getByRole('heading', { level: 1, name }).waitFor({ state: 'attached' })
  }
})

test('without its last slash, the address leads there as well', async () => {
  await page.goto(`${recorder.url}monitor`)
  await page.getByRole('navigation').waitFor()
})

test('what is not observed is no all-clear', async () => {
  await page.getByText('Not known: the cluster is not observed now').waitFor()
  await page.getByText('set --app-server-url or APP_SERVER_URL').waitFor()
  assert.equal(await page.getByText('are as they should be').count(), 0)
})

test('an empty list says whether anybody was looking', async () => {
  await page.getByRole('link', { name: 'Logs' }).click()
  await page.getByText('app-server is off').waitFor()
  await page.getByText('No log line is recorded').waitFor()
  await page.getByRole('link', { name: 'Cluster' }).click()
  await page.getByText('No object of a cluster is recorded').waitFor()
  await until('a word on the cluster sources', async () => {
    return (await page.getByText(/cluster: .*Pod.* are (down|off|connecting)/).count()) > 0
  })
})

test('nothing left the origin and nothing failed meanwhile', () => desk.check())
