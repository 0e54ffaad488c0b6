/** The browser, and what must hold on every page: nothing from elsewhere, nothing that fails. */

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

const require = createRequire(new URL('../../../frontend/package.json', import.meta.url))
const { chromium } = require('playwright-core')

/** Whatever a test waits for comes within this, on a busy machine too. */
const WAIT_MS_MAX = 20_000

const ARGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Chromium's sandbox does not start as root, which a container's tests are.
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
]

/** Starts it. */
export function launch() {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
  return chromium.launch({ executablePath, args: ARGS })
}

/** A browser profile of its own whose pages are watched. */
export class Watched {
  /** Addresses outside of the origin that something asked for. */
  foreign = []
  /** What pages complained about. */
  complaints = []

  static async open(browser, url, options = {}) {
    const watched = new Watched()
    watched.url = url
    watched.context = await browser.newContext({ acceptDownloads: true, ...options })
    watched.context.setDefaultTimeout(WAIT_MS_MAX)
    watched.context.on('request', (request) => {
      if (new URL(request.url()).origin !== new URL(url).origin) watched.foreign.push(request.url())
    })
    watched.context.on('weberror', (error) => watched.complaints.push(String(error.error())))
    watched.context.on('console', (message) => {
      if (message.type() === 'error') watched.complaints.push(message.text())
    })
    return watched
  }

  /** A new tab at a route, for example `/logs`. */
  async page(route = '') {
    const page = await this.context.newPage()
    await page.goto(this.url + (route && `#${route}`))
    return page
  }

  /** Logs in, in a tab that is left at the overview. */
  async logIn(key) {
    const page = await this.page()
    await page.getByLabel('Admin key').fill(key)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('navigation').waitFor()
    return page
  }

  /** That nothing came from elsewhere and nothing failed, but for what is expected to. */
  check(expected = /status of 401/) {
    assert.deepEqual(this.foreign, [], 'requests left the origin')
    const unexpected = this.complaints.filter((text) => !expected.test(text))
    assert.deepEqual(unexpected, [], 'pages complained')
  }
}

/** Asks again until the answer is something; fails with `what` after a while. */
export async function until(what, ask, ms = WAIT_MS_MAX) {
  const deadline = Date.now() + ms
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    if (Date.now() > deadline) assert.fail(`${what} did not happen within ${ms} ms`)
    await new Promise((done) => setTimeout(done, 50))
  }
}

/** Sequence numbers of the log rows that are drawn, from top to bottom. */
export async function drawnSeqs(page) {
  const drawn = await page.$$eval('.log-row:not([hidden])', (rows) =>
    rows.map((row) => ({ seq: Number(row.dataset.seq), at: Number(row.ariaPosInSet) })),
  )
  return drawn.toSorted((a, b) => a.at - b.at).map((row) => row.seq)
}
