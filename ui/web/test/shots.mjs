// Pictures of the page of a box that runs, to look at: node test/shots.mjs URL DIR
import { mkdirSync } from 'node:fs'
import { open } from './browser.mjs'

const [url, dir] = process.argv.slice(2)
mkdirSync(dir, { recursive: true })
const { context, close } = await open()
const page = context.pages()[0] ?? (await context.newPage())
await page.goto(url)
for (const theme of ['light', 'dark']) {
  for (const lang of ['en', 'zh-CN']) {
    await page.evaluate(([theme, lang]) => { localStorage.setItem('theme', theme); localStorage.setItem('lang', lang) }, [theme, lang])
    for (const width of [390, 768, 1440]) {
      await page.setViewportSize({ width, height: width < 500 ? 844 : 900 })
      for (const [name, hash] of [['live', '#/'], ['calls', '#/calls'], ['story', '#/calls/1'], ['config', '#/config'], ['differs', '#/config/1']]) {
        await page.goto(url + hash)
        await page.reload()
        await page.locator({ live: '[data-figure=calls]', calls: '[data-record]', story: 'canvas, [data-story]', config: '[data-version]', differs: '[data-differences] h2' }[name]).first().waitFor()
        await page.waitForTimeout(400)
        await page.screenshot({ path: `${dir}/${name}-${width}-${theme}-${lang}.png`, fullPage: true })
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        if (wide > 0) console.log(`${name} ${width} ${theme} ${lang}: ${wide} px too wide`)
      }
    }
  }
}
await close()
