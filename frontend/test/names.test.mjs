// Names that strangers choose, on a narrow screen over a real engine: no view
// gets wider than the screen, and no name becomes an element.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { House, until } from './house.mjs'

const { names } = JSON.parse(fs.readFileSync(new URL('names.json', import.meta.url), 'utf8'))
/** Those that a file may have here, and that syncing takes. */
const onDisk = names.filter((n) => !n.includes('/') && !n.includes('\u0000') && Buffer.byteLength(n) <= 255)

let house, a, b, page, ids

before(async () => {
  house = await House.build()
  ;[a, b] = await Promise.all([house.device('anna'), house.device('ben')])
  for (const name of onDisk) await a.write(name, name)
  for (const name of onDisk) await a.write(path.join('deep', name, 'x'), name)
  await a.run('folder', 'add', a.dir, '--id', 'files', '--label', 'Files')
  await a.run('device', 'add', b.id, '--name', 'ben', '--address', b.address)
  page = await a.open({ width: 360, height: 640 })
  await page.locator('h1').first().waitFor()
  // Folders of every name: the engine takes what it can show.
  ids = await page.evaluate(async ([names, root]) => {
    const ids = []
    for (const [i, label] of names.entries()) {
      const asked = await fetch('/api/v1/folders', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ path: `${root}/${i}`, id: `f${i}`, label }) })
      if (asked.ok) ids.push((await asked.json()).id)
    }
    return ids
  }, [names, path.join(house.root, 'many')])
  await until('all is looked at', async () => (await a.status()).folders.every((f) => f.state === 'idle'))
})

after(() => house?.raze())

/** Opens a place, waits until it shows what it is about, and looks at it. */
async function look(hash, ready = 'main h1') {
  await page.evaluate((h) => (location.hash = h), hash)
  await page.locator(ready).first().waitFor()
  const found = await page.evaluate(() => ({
    elements: document.querySelectorAll('img, script:not([src]), iframe, object').length,
    wide: [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && e.getBoundingClientRect().width > 0 && !e.closest('.unseen, .clip, .tabs, .seg, .g, .skip')).map((e) => e.outerHTML.slice(0, 200)).slice(0, 3),
    scrolls: document.documentElement.scrollWidth > innerWidth,
  }))
  assert.deepEqual(found, { elements: 0, wide: [], scrolls: false }, hash)
}

test('folders with such names', async () => {
  assert.ok(ids.length >= names.length - 2, `the engine took ${ids.length} of ${names.length} names`)
  for (const hash of ['#/', '#/more', '#/transfers', '#/share', '#/needs', '#/activity']) await look(hash)
  for (const id of ids) await look(`#/folder/${id}`, '.tabs')
  await look(`#/folder/${ids[6]}/options`, '.facts')
})

test('a device with such names', async () => {
  for (const name of names) {
    const taken = await page.evaluate(async ([id, name]) => (await fetch(`/api/v1/devices/${id}`, { method: 'PATCH', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name }) })).ok, [b.id, name])
    if (taken) await look(`#/device/${b.id}`, '.facts')
  }
  for (const hash of ['#/', '#/needs', '#/share', '#/folder/files/options']) await look(hash)
})

test('files with such names', async () => {
  await look('#/folder/files/files', '.virtual .vrow')
  for (const name of onDisk) {
    const query = `path=${encodeURIComponent(name)}`
    await look(`#/why/files?${query}`, '.answer, .fault:not(:empty)')
    await look(`#/versions/files?${query}`)
  }
  await look(`#/folder/files/files?path=${encodeURIComponent(`deep/${onDisk[6]}`)}`, '.virtual .vrow')
  await look('#/activity?kind=files', '.virtual .vrow')
  await page.getByRole('option').filter({ hasText: 'files added' }).first().click()
  await look('#/activity?kind=files', '.event.within')
})

test('what one can go to', async () => {
  await page.keyboard.press('Control+k')
  await page.locator('dialog input').fill('a')
  await look('#/activity', 'dialog [role=option]')
  await page.keyboard.press('Escape')
  assert.deepEqual(page.faults, [])
})
