// The page of a box that runs, used as a person uses it: node test/page.mjs URL
// The box has the simulated board, and agent 1001 is signed in at a phone that answers by itself.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import net from 'node:net'
import { open, watch } from './browser.mjs'

const url = new URL(process.argv[2])
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const patience = 20_000
const began = Date.now()
const say = (...words) => console.log(`${((Date.now() - began) / 1000).toFixed(1)}s`, ...words)

const { context, close } = await open()
context.setDefaultTimeout(patience)
try {
  await useThePage(context)
  await surviveACut(context)
  await tellsTroubles(context)
  say('passed')
} finally {
  await close()
}

async function useThePage(context) {
  const page = context.pages()[0] ?? (await context.newPage())
  const seen = watch(page, url.origin)
  const shell = await load(page)
  say(`shell ${(shell / 1000).toFixed(1)} kB as sent`)
  assert.ok(shell <= 45_000, `the shell is ${shell} bytes as sent`)
  const delays = await measure(page)
  await accessible(page, 'live board')
  await aCall(page)
  await itsStory(page)
  await chinese(page)
  await commands(page)
  await configuration(page, seen)
  await flightRecorder(page)
  for (const width of [390, 768, 1440]) {
    for (const [hash, sign] of [['#/', '[data-figure=calls]'], ['#/calls', '[data-record]'], ['#/calls/1', '[data-story]'], ['#/config', '[data-version]'], ['#/config/1', '[data-differences] h2']]) {
      await page.setViewportSize({ width, height: 844 })
      await page.goto(url + hash)
      await page.locator(sign).first().waitFor()
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      assert.ok(over <= 0, `${hash} is ${over} px too wide at ${width}`)
    }
  }
  await page.goto(url + '#/calls/1')
  await page.locator('[data-story]').waitFor()
  await accessible(page, 'story at 1440')
  assert.deepEqual(seen.outside, [], 'requests off the box')
  assert.deepEqual(seen.errors, [], 'errors')
  say(`${seen.requests} requests, all to the box; no errors`)
  const sorted = (await delays()).sort((a, b) => a - b)
  const at = (q) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))])
  say(`${sorted.length} facts on the screen: median ${at(0.5)} ms after them, 95 % within ${at(0.95)} ms, all within ${at(1)} ms`)
  assert.ok(sorted.length >= 8 && at(0.5) <= 200, 'facts come late')
  await page.close()
}

/** load opens the page and gives the bytes of its shell as they were sent. */
async function load(page) {
  let bytes = 0
  page.on('response', (r) => {
    if (!/\/api\//.test(r.url())) bytes += Number(r.headers()['content-length'] ?? 0)
  })
  const answer = await page.goto(url.href)
  assert.match(answer.headers()['content-security-policy'], /default-src 'self'/)
  await page.locator('[data-figure=calls]').waitFor()
  await page.locator('[data-line=gsm1][data-up=true]').waitFor()
  return bytes
}

/** measure notes how long after it each new fact is on the screen. */
async function measure(page) {
  const all = []
  await page.exposeFunction('noted', (ms) => all.push(ms))
  await page.evaluate(() => {
    const old = Math.max(0, ...[...document.querySelectorAll('[data-fact]')].map((e) => Number(e.dataset.fact)))
    new MutationObserver((changes) => {
      const came = changes.flatMap((c) => [...c.addedNodes]).filter((n) => n.dataset?.fact > old)
      requestAnimationFrame(() => came.forEach((n) => window.noted(Date.now() - Date.parse(n.dataset.at))))
    }).observe(document.querySelector('section[aria-labelledby=facts] ol'), { childList: true })
  })
  return async () => all
}

async function accessible(page, what) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
  const told = violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.target).slice(0, 3).join(' | ')}`)
  assert.deepEqual(told, [], `axe-core on ${what}`)
  say(`axe-core: 0 violations on ${what}`)
}

async function aCall(page) {
  await page.getByLabel('Caller’s number').fill('+4930777')
  await page.getByRole('button', { name: 'Presses 1, talks 30 s' }).click()
  await page.locator('[data-caller="+4930777"]').waitFor()
  const row = page.locator('[data-call]')
  await page.locator('[data-call][data-state=talking]').waitFor()
  const text = await row.innerText()
  assert.match(text, /\+4930777/)
  assert.match(text, /sales → Ana/)
  await page.locator('[data-agent="1001"][data-state=talking]').waitFor()
  say('a call that was placed by a click talks')
  const first = await row.innerText()
  await page.waitForFunction((was) => document.querySelector('[data-call]')?.innerText !== was, first)
  await accessible(page, 'live board with a call')
  await page.getByRole('button', { name: 'Hang up the call of +4930777' }).click()
  await page.getByRole('dialog').waitFor()
  await accessible(page, 'dialog')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.locator('[data-call] .bg-bad').waitFor() // it is recorded
  await page.waitForTimeout(2500) // of conversation, to listen to
  await page.getByRole('button', { name: '+4930777 hangs up' }).click()
  await row.waitFor({ state: 'detached' })
  await page.locator('[data-caller="+4930777"][data-state=ended]').waitFor()
}

async function itsStory(page) {
  await page.getByRole('link', { name: 'Calls', exact: true }).click()
  const row = page.locator('[data-record][data-from="+4930777"][data-outcome=answered]')
  await row.waitFor()
  await accessible(page, 'call list')
  await page.getByRole('searchbox').fill('777')
  await page.waitForFunction(() => document.querySelectorAll('[data-record]').length === 1)
  await page.getByLabel('Outcome').selectOption('busy')
  await page.getByText('No call fits.').waitFor()
  await page.getByLabel('Outcome').selectOption('answered')
  await row.getByRole('link').click()
  await page.locator('[data-story]').getByText('key 1 is pressed').waitFor()
  const drawn = await page.waitForFunction(() => {
    const c = document.querySelector('canvas')
    if (!c?.width) return 0
    const lane = (y) => c.getContext('2d').getImageData(0, y, c.width, c.height / 2).data.filter((v, i) => i % 4 === 3 && v > 0).length
    return Math.min(lane(0), lane(c.height / 2)) > c.width && c.width
  })
  say(`waveform of both parties drawn, ${await drawn.jsonValue()} px wide`)
  await page.getByRole('button', { name: 'Play' }).click()
  await page.waitForFunction(() => Number(document.querySelector('[data-player]').dataset.at) > 1)
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByRole('slider').focus()
  await page.keyboard.press('Home')
  await page.waitForFunction(() => document.querySelector('[role=slider]').getAttribute('aria-valuenow') === '0')
  await accessible(page, 'story with its recording')
  await page.getByText('SIP messages').click()
  await page.locator('[data-ladder] [data-message=INVITE]').waitFor()
  await page.locator('[data-ladder] [data-message="200 OK"] button').first().click()
  await page.locator('[data-ladder] pre').getByText('CSeq: 1 INVITE').waitFor()
  await accessible(page, 'ladder of the call')
  await page.setViewportSize({ width: 390, height: 844 })
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, 'the ladder is too wide at 390')
  await page.setViewportSize({ width: 1440, height: 900 })
  say('the recording plays')
  await page.getByRole('searchbox').fill('')
}

async function chinese(page) {
  await page.getByRole('button', { name: '切换到中文' }).click()
  await page.getByRole('link', { name: '话单', exact: true }).waitFor()
  assert.equal(await page.getAttribute('html', 'lang'), 'zh-CN')
  await page.locator('[data-story]').getByText('按键 1').waitFor()
  await page.getByRole('button', { name: /主题/ }).click() // light
  await page.getByRole('button', { name: /主题/ }).click() // dark
  assert.equal(await page.getAttribute('html', 'data-theme'), 'dark')
  await page.locator('[data-ladder]').getByText('下载抓包文件').waitFor()
  await accessible(page, 'story in Chinese, dark')
  await page.getByRole('link', { name: '实时', exact: true }).click()
  await page.locator('[data-agent="1001"]').waitFor()
  await accessible(page, 'live board in Chinese, dark')
  await page.getByRole('button', { name: 'EN: switch to English' }).click()
  await page.getByRole('link', { name: 'Live', exact: true }).waitFor()
}

async function commands(page) {
  await page.locator('[data-agent="1001"][data-state=ready]').waitFor()
  await page.getByRole('button', { name: 'Change the state of Ana' }).click()
  await page.getByLabel('Reason').fill('lunch')
  await page.getByRole('button', { name: 'Not ready', exact: true }).click()
  await page.locator('[data-agent="1001"][data-state=not_ready]').getByText('lunch').waitFor()
  await page.getByRole('button', { name: 'Says nothing, stays' }).click()
  await page.locator('[data-call]').waitFor()
  await page.getByRole('button', { name: /Hang up the call/ }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Hang up', exact: true }).click()
  await page.locator('[data-call]').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Change the state of Ana' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Ready', exact: true }).click()
  await page.locator('[data-agent="1001"][data-state=ready]').waitFor()
  say('agent and call obey the page')
}

/** configuration looks at what Mia changed, and takes it back. */
async function configuration(page, seen) {
  const api = (path) => new URL('api/v1/' + path, url)
  const text = await (await fetch(api('config'))).text()
  assert.match(text, /name: Workshop/)
  const answer = await fetch(api('config/apply?who=Mia'), { method: 'POST', headers: { 'Content-Type': 'application/yaml' }, body: text.replace('name: Workshop', 'name: Garage') })
  assert.equal(answer.status, 200)
  await page.getByRole('link', { name: 'Configuration', exact: true }).click()
  await page.locator('[data-version="2"]').getByText('In force').waitFor()
  await page.locator('[data-version="2"]').getByText('Mia').waitFor()
  await accessible(page, 'configuration')
  await page.locator('[data-version="2"] a').click()
  await page.locator('[data-difference]').getByText('Garage').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Put in force again' }).count(), 0)
  await page.locator('[data-version="1"] a').click()
  const place = page.locator('[data-differences="1"] [data-difference]')
  await place.waitFor()
  assert.match(await place.innerText(), /Version 1\s+Workshop\s+Version 2 · In force\s+Garage/)
  await accessible(page, 'what differs')

  const refusal = {
    status: 422, detail: 'the configuration is wrong; what runs stays', cure: 'mend it', detail_zh: '配置有误', cure_zh: '请改正',
    faults: [{ path: 'lines[2].slot', what: 'there is no slot 9', cure: 'take one of 1 to 4', what_zh: '没有插槽 9', cure_zh: '请用 1 到 4 之一' }],
  }
  const refuse = (r) => r.fulfill({ status: 422, contentType: 'application/problem+json', body: JSON.stringify(refusal) })
  await page.route('**/rollback?*', refuse)
  await page.getByRole('button', { name: 'Put in force again' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Who wants it').fill('Mia & Bo')
  await dialog.getByRole('button', { name: 'Put in force again' }).click()
  await dialog.locator('[data-fault="lines[2].slot"]').getByText('there is no slot 9. take one of 1 to 4').waitFor()
  await accessible(page, 'a refusal with its faults')
  await page.unroute('**/rollback?*')
  assert.match(seen.errors.pop() ?? '', /422/) // the browser notes it
  await dialog.getByRole('button', { name: 'Put in force again' }).click()
  await page.locator('[data-applied="3"]').waitFor()
  await page.locator('[data-version="3"]').getByText('Mia & Bo, back to 1').waitFor()
  await page.locator('[data-version="3"]').getByText('In force').waitFor()
  await page.locator('[data-version="1"] a').click()
  await page.getByText('Nothing differs.').waitFor()
  await page.getByRole('button', { name: '切换到中文' }).click()
  await page.getByRole('button', { name: '恢复此版本' }).waitFor()
  await accessible(page, 'configuration in Chinese, dark')
  await page.route('**/rollback?*', refuse)
  await page.getByRole('button', { name: '恢复此版本' }).click()
  await dialog.getByRole('textbox').fill('丽')
  await dialog.getByRole('button', { name: '恢复此版本' }).click()
  await dialog.getByText('配置有误。请改正').waitFor()
  await dialog.locator('[data-fault="lines[2].slot"]').getByText('没有插槽 9。请用 1 到 4 之一').waitFor()
  await page.unroute('**/rollback?*')
  assert.match(seen.errors.pop() ?? '', /422/)
  await dialog.getByRole('button', { name: '取消' }).click()
  await page.getByRole('button', { name: 'EN: switch to English' }).click()
  say('a configuration is taken back')
}

async function flightRecorder(page) {
  const coming = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Flight recorder' }).click()
  const file = await coming
  assert.match(file.suggestedFilename(), /^branchline-\d{8}-\d{6}\.scenario$/)
  const text = readFileSync(await file.path(), 'utf8')
  assert.match(text, /\+4930777/)
  assert.doesNotMatch(text, /plum-cake/)
  say(`the flight recorder is saved, ${text.length} bytes`)
}

/** tellsTroubles has the box say that its disk is full and was slow. */
async function tellsTroubles(context) {
  const page = await context.newPage()
  const status = await (await fetch(new URL('api/v1/status', url))).json()
  assert.ok(status.disk.reserve_bytes > 0)
  const now = new Date().toISOString()
  let free = status.disk.reserve_bytes - 1
  let stalled_since = now
  let failing
  await page.route('**/api/v1/live*', (r) => {
    const picture = { seq: 1, now, status: { ...status, disk: { ...status.disk, free_bytes: free, stalled_since, failing } }, calls: [], lines: [], agents: [], queues: [], phones: [], records: 0 }
    return r.fulfill({ contentType: 'text/event-stream', body: `retry: 500\nevent: snapshot\nid: 1-1\ndata: ${JSON.stringify(picture)}\n\n` })
  })
  for (const hash of ['#/', '#/calls', '#/config']) {
    await page.goto(url + hash)
    await page.locator('[data-trouble=stopped]').waitFor()
    await page.locator('[data-trouble=unsynced]').waitFor()
    await page.locator('h1').waitFor({ state: 'attached' }) // the page's own part is loaded when it is wanted
  }
  await page.setViewportSize({ width: 390, height: 844 })
  await accessible(page, 'troubles')
  free = status.disk.reserve_bytes + 1
  failing = 'read-only file system'
  await page.locator('[data-trouble=low]').waitFor()
  await page.locator('[data-trouble=stopped]').waitFor({ state: 'detached' })
  await page.locator('[data-trouble=failing]', { hasText: failing }).waitFor()
  await page.locator('[data-trouble=unsynced]').waitFor({ state: 'detached' })
  failing = stalled_since = undefined
  await page.locator('[data-trouble=failing]').waitFor({ state: 'detached' })
  await page.locator('[data-trouble=unsynced]').waitFor({ state: 'detached' })
  say('troubles are told on every page')
  await page.close()
}

/** surviveACut has the page behind a wire that is cut while something happens. */
async function surviveACut(context) {
  const wire = await wireTo(url)
  const page = await context.newPage()
  await page.goto(wire.url)
  await page.locator('[data-link=live]').waitFor()
  await page.locator('[data-agent="1001"]').waitFor()
  wire.cut()
  await page.locator('[data-link=lost]').waitFor()
  await fetch(new URL('api/v1/sim/calls', url), { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ from: '+4930888', script: 'hangup after 8s' }) })
  await new Promise((done) => setTimeout(done, 1500))
  const mended = Date.now()
  wire.mend()
  await page.locator('[data-link=live]').waitFor()
  await page.locator('[data-call]').getByText('+4930888').waitFor()
  assert.match(wire.heard(), /last-event-id: \d+-\d+|live\?last=\d+-\d+/i, 'the page did not say what it had seen')
  say(`after a cut the page is up to date in ${Date.now() - mended} ms, by resuming`)
  await page.close()
  wire.close()
}

/** wireTo is a wire to the box that can be cut; heard is what went over it since the last cut. */
async function wireTo(url) {
  const ends = new Set()
  let whole = true
  let text = ''
  const server = net.createServer((near) => {
    if (!whole) return near.destroy()
    const far = net.connect(Number(url.port), url.hostname)
    for (const [end, other] of [[near, far], [far, near]]) {
      ends.add(end)
      end.on('error', () => other.destroy())
      end.on('close', () => (ends.delete(end), other.destroy()))
    }
    near.on('data', (d) => (text += d.toString('latin1')))
    near.pipe(far)
    far.pipe(near)
  })
  await new Promise((done) => server.listen(0, url.hostname, done))
  return {
    url: `http://${url.hostname}:${server.address().port}/`,
    cut: () => ((whole = false), (text = ''), ends.forEach((e) => e.destroy())),
    mend: () => (whole = true),
    heard: () => text,
    close: () => (ends.forEach((e) => e.destroy()), server.close()),
  }
}
