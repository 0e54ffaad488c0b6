/**
 * One admin, one evening: logs in, watches lines arrive, takes a backup away, wipes, finds the wipe
 * on record, and opens the backup again.
 */

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { violations } from './support/axe.mjs'
import { drawnSeqs, launch, until, Watched } from './support/browser.mjs'
import { Recorder } from './support/recorder.mjs'

let recorder
let browser
let desk
let page

before(async () => {
  recorder = await Recorder.demo()
  browser = await launch()
  desk = await Watched.open(browser, recorder.url)
})

after(async () => {
  await browser?.close()
  await recorder?.stop()
})

function focused(tab) {
  return tab.evaluate(() => document.activeElement?.textContent)
}

test('every page is under a strict content security policy', async () => {
  const response = await fetch(recorder.url)
  const policy = response.headers.get('content-security-policy')
  assert.match(policy, /default-src 'self'/)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.doesNotMatch(policy, /unsafe|\*|https?:/)
  assert.doesNotMatch(await response.text(), /<style|style=|<script(?![^>]*src=)|\son\w+=/)
})

test('a wrong key is refused in words, and another one may be tried', async () => {
  page = await desk.page('/logs')
  await page.getByLabel('Admin key').fill('wrong')
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByText('neither the admin key nor a token').waitFor()
  await page.getByLabel('Admin key').fill(`${recorder.key}\n`)
  await page.keyboard.press('Enter')
  await page.getByRole('navigation').waitFor()
})

test('the page that was asked for is there after the log-in', async () => {
  await page.getByRole('listbox', { name: 'Log lines' }).waitFor()
})

test('the browser keeps no key', async () => {
  const kept = await page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]),
  )
  assert.ok(!kept.includes(recorder.key))
  assert.equal(await page.evaluate(() => document.cookie), '')
})

test('a simulation is called one, on every page', async () => {
  for (const name of [
    'Overview',
    'Cluster',
    'Requests',
    'Live queries',
    'Volumes',
    'Probes',
    'Actions',
    'Runbooks',
    'Testing',
    'Journal',
    'Outside tools',
    'Logs',
  ]) {
    await page.getByRole('navigation').getByRole('link', { name, exact: true }).first().click()
    await page.getByRole('heading', { level: 1, name }).waitFor({ state: 'attached' })
    await page.getByText('A simulated cluster and app-server').waitFor()
    await until(`the title of ${name}`, async () => (await page.title()).includes(name))
  }
})

test('log lines arrive live, as they are on record', async () => {
  const { seq } = await recorder.get('status')
  const newest = await until('a line newer than the page', async () => {
    const seqs = await drawnSeqs(page)
    return seqs.findLast((one) => one > seq)
  })
  const { entries } = await recorder.get(`logs?limit=1&before=${newest + 1}`)
  assert.equal(entries[0].seq, newest)
})

test('a list that is read does not move, and counts what it holds back', async () => {
  await page.getByRole('button', { name: 'Pause' }).click()
  const still = await drawnSeqs(page)
  const held = page.getByRole('button', { name: /paused, [1-9]\d* new row/ })
  await held.waitFor()
  assert.deepEqual(await drawnSeqs(page), still)
  await held.click()
  await until('the held lines', async () => (await drawnSeqs(page)).at(-1) > still.at(-1))
  const seqs = await drawnSeqs(page)
  assert.deepEqual(
    seqs,
    [...new Set(seqs)].toSorted((a, b) => a - b),
  )
})

test('a filter finds what the journal has, by level and by text', async () => {
  await page.getByLabel('Level').selectOption('INFO')
  await page.getByLabel('Contains').fill('a')
  await until(
    'the filter in the address',
    () => /q=a/.test(page.url()) && /level=INFO/.test(page.url()),
  )
  const levels = await until('narrowed rows', async () => {
    if (await page.getByText('searching the journal').isVisible()) return null
    return page.$$eval('.log-row:not([hidden]) .log-level', (cells) =>
      cells.map((cell) => cell.title),
    )
  })
  assert.ok(levels.length > 0)
  assert.ok(
    levels.every((level) => ['ERROR', 'WARN', 'INFO'].includes(level)),
    levels.join(),
  )
  await page.getByLabel('Contains').fill('no line says this \u2603')
  await page.getByText('No recorded line matches').waitFor()
})

test('selected lines are copied whole', async () => {
  await page.getByLabel('Contains').fill('')
  await page.getByLabel('Level').selectOption('')
  await until('rows', async () => (await drawnSeqs(page)).length > 3)
  await page.getByRole('button', { name: 'Pause' }).click()
  const copied = page.evaluate(
    () =>
      new Promise((done) => {
        const taken = (event) => done(event.clipboardData.getData('text/plain'))
        document.addEventListener('copy', taken, { once: true })
      }),
  )
  await page.getByRole('listbox').focus()
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('Shift+ArrowUp')
  await page.keyboard.press('Shift+ArrowUp')
  await page.keyboard.press('Control+c')
  const lines = (await copied).trimEnd().split('\n')
  assert.equal(lines.length, 3)
  const seqs = (await drawnSeqs(page)).slice(-3)
  const { entries } = await recorder.get(`logs?limit=1&before=${seqs[2] + 1}`)
  assert.ok(lines[2].endsWith(entries[0].message.replaceAll('\n', ' ')), lines[2])
})

test('keys lead from page to page, and stay letters where one writes', async () => {
  await page.keyboard.press('Escape')
  await page.keyboard.press('g')
  await page.keyboard.press('c')
  await until('the cluster page', () => page.url().includes('#/cluster'))
  await page.getByRole('searchbox', { name: 'Name' }).waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('gl')
  await until('the typed name', () => page.url().includes('q=gl'))
  await page.getByRole('searchbox', { name: 'Name' }).fill('')
})

test('an object shows its body, and Escape leads back to its row', async () => {
  await page.getByRole('combobox', { name: 'Kind' }).selectOption('Node')
  const row = page.getByRole('row').nth(1).getByRole('button')
  const name = await row.innerText()
  await row.focus()
  await page.keyboard.press('Enter')
  const pane = page.getByRole('complementary')
  await pane.getByText(`"name": "${name}"`).first().waitFor()
  await page.keyboard.press('Escape')
  await pane.waitFor({ state: 'detached' })
  await until('the focus on the row', async () => (await focused(page)) === name)
})

test('a request shows its sections against time', async () => {
  await page.goto(`${recorder.url}#/requests`)
  await page.getByRole('row').nth(1).getByRole('button').click()
  const bars = page.getByRole('list', { name: 'Sections' })
  await bars.getByRole('listitem').first().waitFor()
  const widths = await bars.locator('.bar').evaluateAll((all) => all.map((bar) => bar.offsetWidth))
  assert.ok(widths.every((width) => width > 0))
})

test('a workload is restarted from its object, only after a question, and it is on record', async () => {
  const { objects } = await recorder.get('objects?kind=Deployment')
  const { namespace, name, uid } = objects[0]
  await page.goto(`${recorder.url}#/cluster?uid=${uid}`)
  await page.getByRole('complementary').getByRole('link', { name: 'Restart' }).click()
  const form = page.getByRole('form', { name: 'restart-workload' })
  assert.equal(await form.getByLabel('namespace').inputValue(), namespace)
  assert.equal(await form.getByLabel('name', { exact: true }).inputValue(), name)
  await form.getByLabel('method').selectOption('rollout')
  await form.getByRole('button', { name: 'Start\u2026' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(`kubectl -n ${namespace} rollout restart deployment/${name}`).waitFor()
  await dialog.getByText(`Deployment ${namespace}/${name}`).first().waitFor()
  await until('the focus on Cancel', async () => (await focused(page)) === 'Cancel')
  await dialog.getByRole('button', { name: 'Start', exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('complementary').getByText('succeeded').waitFor()
  const row = page.getByRole('row').filter({ hasText: 'restart-workload' })
  await row.getByText(/succeeded/).waitFor()
})

let backup

test('a backup is taken away before the wipe, from the dialog', async () => {
  await page.goto(`${recorder.url}#/journal`)
  await page.getByRole('button', { name: 'Wipe' }).click()
  const dialog = page.getByRole('dialog')
  await until('the focus on Cancel', async () => (await focused(page)) === 'Cancel')
  const download = page.waitForEvent('download')
  await dialog.getByRole('link', { name: 'Download a backup first' }).click()
  backup = join(recorder.dir, 'backup.tar')
  await (await download).saveAs(backup)
  const bytes = await readFile(backup)
  assert.equal(bytes.subarray(257, 262).toString(), 'ustar')
  assert.ok(bytes.includes('CHECKSUMS'))
})

test('a wipe needs the word and a reason, and is on record afterwards', async () => {
  const dialog = page.getByRole('dialog')
  const button = dialog.getByRole('button', { name: 'Wipe everything' })
  await dialog.getByLabel('Why').fill('test of the wipe')
  assert.ok(await button.isDisabled())
  await dialog.getByLabel('to confirm').fill('wipe')
  await button.click()
  await dialog.waitFor({ state: 'detached' })
  await until('the new epoch', async () => (await recorder.get('status')).journal.epoch === 2)
  await page.goto(`${recorder.url}#/actions`)
  const row = page.getByRole('row').filter({ hasText: 'wipe' })
  await row.getByText('test of the wipe').waitFor()
  assert.equal(await page.getByRole('row').filter({ hasText: 'restart-workload' }).count(), 0)
})

test('after the wipe the pages show the new epoch alone, without being loaded again', async () => {
  await page.getByRole('link', { name: 'Logs' }).click()
  const { journal } = await recorder.get('status')
  const seqs = await until('lines of the new epoch', async () => {
    const drawn = await drawnSeqs(page)
    return drawn.length > 0 && drawn
  })
  assert.ok(
    seqs.every((seq) => seq >= journal.first_seq),
    `${seqs[0]} < ${journal.first_seq}`,
  )
})

test('the backup opens again, and nothing can be changed in it', async () => {
  const replay = new Recorder(['replay', backup])
  await replay.start()
  try {
    const past = await Watched.open(browser, replay.url)
    const tab = await past.page('/actions')
    await tab.getByText('A recording, as it was at its last event').waitFor()
    await tab
      .getByRole('row')
      .filter({ hasText: 'restart-workload' })
      .getByText('succeeded')
      .waitFor()
    assert.ok(await tab.getByRole('button', { name: 'Start\u2026' }).isDisabled())
    await tab.getByText('This is a replay: nothing can be changed').first().waitFor()
    assert.deepEqual(await violations(tab), [])
    await tab.getByRole('link', { name: 'Journal' }).click()
    assert.ok(await tab.getByRole('button', { name: 'Wipe' }).isDisabled())
    past.check()
  } finally {
    await replay.stop()
  }
})

test('logging out leads back to the key', async () => {
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByLabel('Admin key').waitFor()
  await page.reload()
  await page.getByLabel('Admin key').waitFor()
})

test('nothing left the origin and nothing failed meanwhile', () => desk.check())
