/** Who may only see: shown who one is, and told why nothing can be done. */

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { violations } from './support/axe.mjs'
import { launch, Watched } from './support/browser.mjs'
import { ClusterApiDouble } from './support/cluster-api.mjs'
import { Recorder } from './support/recorder.mjs'

const USER = { token: 'a token of the cluster', name: 'reader@example.com', verbs: ['get'] }

let cluster
let recorder
let browser
let desk
let page
let dir

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'monitor-backend-browser-'))
  const kubeconfig = join(dir, 'kubeconfig')
  cluster = new ClusterApiDouble(USER)
  await cluster.start(kubeconfig)
  recorder = await Recorder.alone('the key of this test', '--kubeconfig', kubeconfig)
  browser = await launch()
  desk = await Watched.open(browser, recorder.url)
  page = await desk.page()
})

after(async () => {
  await browser?.close()
  await recorder?.stop()
  await cluster?.stop()
  if (dir) await rm(dir, { recursive: true, force: true })
})

test('a token that the cluster does not know is refused in words', async () => {
  await page.getByLabel('Kubernetes token').fill('another token')
  await page.keyboard.press('Enter')
  await page.getByText('neither the admin key nor a token').waitFor()
})

test('the header says who is logged in, and that they may only see', async () => {
  await page.getByLabel('Kubernetes token').fill(USER.token)
  await page.keyboard.press('Enter')
  const header = page.getByRole('banner')
  await header.getByText(USER.name).waitFor()
  await header.getByText('may only see').waitFor()
})

test('what they may not do is disabled, with the reason beside it', async () => {
  await page.goto(`${recorder.url}#/actions`)
  const form = page.getByRole('form').first()
  await form.getByText('This session may only see').waitFor()
  for (const name of ['Start', 'Dry run']) {
    assert.ok(await form.getByRole('button', { name }).isDisabled(), name)
  }
  assert.deepEqual(await violations(page), [])
  await page.goto(`${recorder.url}#/journal`)
  assert.ok(await page.getByRole('button', { name: 'Wipe' }).isDisabled())
})

test('the recorder refuses it as well', async () => {
  const status = await page.evaluate(async () => {
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json' } }
    const body = JSON.stringify({ confirm: 'wipe', reason: 'test' })
    return (await fetch('api/journal/wipe', { ...init, body })).status
  })
  assert.equal(status, 403)
})

test('nothing left the origin and nothing failed meanwhile', () => desk.check(/status of 40[13]/))
