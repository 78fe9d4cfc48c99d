// What accessibility rules forbid, looked for in both themes.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { createRequire } from 'node:module'

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const all = { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice'] }
/** The themes have the same elements: what else there is to find in the second is in its colours. */
const colours = { type: 'rule', values: ['color-contrast', 'link-in-text-block'] }

/** The kinds of page that were looked at, by the first part of their places. */
export const looked = new Set()

/** Nothing that the rules forbid is on the page as it is, in either theme; it keeps its own. */
export async function accessible(page, where) {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe)
  const own = await page.evaluate(() => document.documentElement.dataset.theme)
  for (const [theme, rules] of own === 'dark' ? [['light', colours], ['dark', all]] : [['dark', colours], ['light', all]]) {
    await page.emulateMedia({ colorScheme: theme })
    await page.waitForFunction((theme) => document.documentElement.dataset.theme === theme, theme)
    const { violations } = await page.evaluate((runOnly) => globalThis.axe.run({ runOnly, resultTypes: ['violations'] }), rules)
    const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join('; ')}`)
    assert.deepEqual(found, [], `${where}, ${theme}`)
  }
  looked.add(await page.evaluate(() => location.hash.split(/[/?]/)[1] ?? ''))
}
