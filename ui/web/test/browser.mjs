// What the tests of the page share: Debian's Chromium, and a page that counts what must not be.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

/** open starts a browser; close ends it and removes what it kept. */
export async function open(options = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'page-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    ...options,
  })
  return {
    context,
    close: async () => {
      await context.close()
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    },
  }
}

/** watch notes each request that does not go to origin, and each error, of a page. */
export function watch(page, origin) {
  const seen = { outside: [], errors: [], requests: 0 }
  page.on('request', (r) => {
    seen.requests++
    if (new URL(r.url()).origin !== origin && !r.url().startsWith('blob:')) seen.outside.push(r.url())
  })
  page.on('console', (m) => m.type() === 'error' && seen.errors.push(m.text()))
  page.on('pageerror', (e) => seen.errors.push(String(e)))
  return seen
}
