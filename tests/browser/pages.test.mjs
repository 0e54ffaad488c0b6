/** Every page, light and dark, wide and narrow: for whoever cannot see it well, or at all. */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { violations } from './support/axe.mjs'
import { launch, Watched } from './support/browser.mjs'
import { Recorder } from './support/recorder.mjs'

const ROUTES = [
  '/overview',
  '/logs',
  '/cluster?deleted=1',
  '/requests',
  '/live-queries',
  '/journal',
  '/volumes',
  '/probes',
  '/actions?action=delete-pod&namespace=a&name=b',
  '/runbooks',
  '/testing',
  '/tools',
]

/** Pages with a table whose rows open. */
const ROWS = ['/cluster', '/requests', '/live-queries', '/volumes']

let recorder
let browser

before(async () => {
  recorder = await Recorder.demo()
  browser = await launch()
})

after(async () => {
  await browser?.close()
  await recorder?.stop()
})

async function checkPage(page, what) {
  assert.deepEqual(await violations(page), [], what)
  const isWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
  assert.ok(!isWide, `${what} scrolls sideways`)
}

/** What there is to open on a page besides the page itself. */
async function openDetail(page, route) {
  if (route === '/journal') await page.getByRole('button', { name: 'Wipe' }).click()
  else if (route.startsWith('/actions')) await page.getByRole('button', { name: 'Start\u2026' }).click()
  else if (route === '/logs') {
    await page.locator('.log-row').first().waitFor()
    await page.getByRole('listbox').press('ArrowUp')
    await page.getByRole('listbox').press('Enter')
  } else if (ROWS.some((start) => route.startsWith(start))) {
    await page.locator('tbody tr').first().getByRole('button').first().click()
  } else await page.keyboard.press('?')
  await page.locator('[role=dialog], dialog[open], aside').first().waitFor()
}

/** On a phone, the rest of the navigation. */
async function checkNavigation(page) {
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('link', { name: 'Outside tools' }).waitFor()
  await checkPage(page, 'the navigation')
  await page.keyboard.press('Escape')
  await page.getByRole('link', { name: 'Outside tools' }).waitFor({ state: 'hidden' })
}

for (const colorScheme of ['light', 'dark']) {
  for (const width of [1280, 360]) {
    test(`pages have no fault that a tool can find, ${colorScheme}, ${width} px`, async () => {
      const viewport = { width, height: 760 }
      const desk = await Watched.open(browser, recorder.url, { colorScheme, viewport })
      const page = await desk.page()
      await page.getByLabel('Admin key').waitFor()
      await checkPage(page, 'log-in')
      await page.getByLabel('Admin key').fill(recorder.key)
      await page.keyboard.press('Enter')
      await page.getByRole('navigation').waitFor()
      if (width < 600) await checkNavigation(page)
      for (const route of ROUTES) {
        await page.goto(`${recorder.url}#${route}`)
        await page.locator('main :is(h2, table, [role=listbox], .note)').first().waitFor()
        await page
          .getByText(/^Loading/)
          .first()
          .waitFor({ state: 'detached' })
        await checkPage(page, route)
        await openDetail(page, route)
        await checkPage(page, `${route} with its detail`)
        await page.keyboard.press('Escape')
      }
      desk.check()
      await desk.context.close()
    })
  }
}
