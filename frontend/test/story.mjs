// A story is a row of tests, each of which begins where the one before it ended.
import path from 'node:path'
import { test } from 'node:test'

/**
 * Gives what adds a part to a story: what comes after a part that failed is not
 * told. pages gives what is shown, by name; pictures of it are kept in SHOTS.
 */
export function story(pages) {
  let broken
  return (name, part) =>
    test(name, async (t) => {
      if (broken !== undefined) throw new Error(`not told: ${broken}`)
      try {
        await part(t)
      } catch (e) {
        broken = name
        const { SHOTS } = process.env
        if (SHOTS) await Promise.all(Object.entries(pages()).map(([n, p]) => p?.screenshot({ path: path.join(SHOTS, `broken-${n}.png`) })))
        throw e
      }
    })
}
