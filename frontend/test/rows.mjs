// Lists of a hundred thousand rows in a real browser over real engines: a
// directory of as many files, as many earlier versions of one of them, and as
// many that are still to come to another device. Each is scrolled from end to
// end with the wheel and by keys. What the page holds and what it reads are
// bounded, whatever the machine does; times are told, not judged.
import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { House, join, until } from './house.mjs'

const rows = Number(process.env.ROWS ?? 100_000)
/** How many rows may stand in the page at once, and bytes that its heap may have. */
const most = { rows: 60, heap: 25_000_000 }
/** Bytes that are read when something changed, and for one look at another place. */
const look = 60_000

let house, ada, nas
const pause = (ms) => new Promise((over) => setTimeout(over, ms))
const name = (i) => `IMG_${String(i).padStart(6, '0')}.jpg`

/** Calls f for 0 to before n, some at a time. */
async function each(n, f) {
  for (let i = 0; i < n; i += 500) await Promise.all(Array.from({ length: Math.min(500, n - i) }, (_, k) => f(i + k)))
}

before(async () => {
  house = await House.build()
  ada = await house.device('Ada')
  nas = await house.device('Attic')
  const many = path.join(ada.dir, 'many')
  await fs.mkdir(many)
  await each(rows, (i) => fs.writeFile(path.join(many, name(i)), String(i)))
  const versions = path.join(ada.dir, '.stversions', 'many')
  await fs.mkdir(versions, { recursive: true })
  const began = Date.now() - rows * 1000
  await each(rows, (i) => {
    const time = new Date(began + i * 1000).toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15)
    return fs.writeFile(path.join(versions, name(0).replace('.', `~${time}.`)), '')
  })
  await join(ada, nas, 'photos', 'Photos')
  await nas.run('folder', 'remove', 'photos')
  await nas.run('folder', 'add', nas.dir, '--id', 'photos', '--label', 'Photos', '--type', 'send-only', '--share', ada.id) // what comes stays to come
  await ada.run('scan', 'photos')
  for (;;) {
    const of = (await nas.status()).folders.find((f) => f.id === 'photos')
    if (of?.need.items > rows && of.state === 'idle') break
    await pause(500)
  }
}, { timeout: 1_200_000 })

after(() => house?.raze())

/** Opens a list by its hash, and gives what a measurement of it needs. */
async function open(device, hash, label, role) {
  const page = await device.open()
  const session = await page.context().newCDPSession(page)
  await Promise.all([session.send('Network.enable'), session.send('HeapProfiler.enable')])
  const read = { bytes: 0, answers: 0 }
  const asked = new Map()
  session.on('Network.requestWillBeSent', (e) => /\/(files|versions|needed)\?/.test(e.request.url) && asked.set(e.requestId, 1))
  session.on('Network.loadingFinished', (e) => {
    if (!asked.delete(e.requestId)) return
    read.bytes += e.encodedDataLength
    read.answers++
  })
  await page.evaluate(() => {
    window.seen = { task: 0, frame: 0 }
    new PerformanceObserver((l) => l.getEntries().forEach((e) => (window.seen.task = Math.max(window.seen.task, e.duration)))).observe({ entryTypes: ['longtask'] })
    let last = performance.now()
    const frame = (now) => {
      window.seen.frame = Math.max(window.seen.frame, now - last)
      last = now
      requestAnimationFrame(frame)
    }
    requestAnimationFrame(frame)
  })
  const began = Date.now()
  await page.evaluate((h) => (location.hash = h), hash)
  const list = page.getByRole(role, { name: label })
  const row = list.getByRole(role === 'list' ? 'listitem' : 'option')
  await row.first().waitFor()
  await until('rows', async () => !(await row.first().textContent()).includes('…'))
  const first = Date.now() - began
  return { page, session, list, row, read, first }
}

async function heap(session) {
  await session.send('HeapProfiler.collectGarbage')
  return (await session.send('Runtime.getHeapUsage')).usedSize
}

/** The rows that are in sight, once all of them are there. */
async function inSight(list) {
  return until('the rows in sight', async () => {
    const texts = await list.evaluate((box) => {
      const frame = box.getBoundingClientRect()
      return [...box.querySelectorAll('.vrow')].filter((r) => {
        const b = r.getBoundingClientRect()
        return b.bottom > frame.top + 1 && b.top < frame.bottom - 1
      }).map((r) => r.textContent.trim())
    })
    return texts.length > 3 && texts.every((text) => text !== '…') && texts
  })
}

/** Scrolls from end to end and back, and tells what it cost. */
async function through(t, what, { page, session, list, row, read, first }, keys) {
  const opened = { ...read }
  const total = Number(await row.first().getAttribute('aria-setsize'))
  assert.ok(total >= rows, `${total} rows`)
  await page.evaluate(() => Object.assign(window.seen, { task: 0, frame: 0 }))
  const length = await list.evaluate((e) => e.scrollHeight - e.clientHeight)
  await list.hover()
  const turns = 200
  let shown = 0
  for (let i = 0; i < turns; i++) {
    await page.mouse.wheel(0, length / turns + 1)
    shown = Math.max(shown, await row.count())
    await pause(20)
  }
  await until('the end', () => list.evaluate((e) => e.scrollTop + e.clientHeight >= e.scrollHeight - 2))
  const last = await inSight(list)
  const wheel = { ...read }
  if (keys) {
    await list.focus()
    for (const key of ['Home', 'End', 'Home', 'End', 'PageUp', 'ArrowUp', 'Home']) {
      await page.keyboard.press(key)
      shown = Math.max(shown, await row.count())
      await inSight(list)
    }
  }
  const top = await inSight(list)
  const { task, frame } = await page.evaluate(() => window.seen)
  const holds = await heap(session)
  t.diagnostic(`${what}: ${total} rows, first after ${first} ms and ${opened.bytes} bytes; at most ${shown} in the page; wheel through ${turns} places ${wheel.bytes - opened.bytes} bytes in ${wheel.answers - opened.answers} answers${keys ? `, keys ${read.bytes - wheel.bytes} in ${read.answers - wheel.answers}` : ''}; longest frame ${frame.toFixed(0)} ms, task ${task.toFixed(0)} ms; heap ${(holds / 1e6).toFixed(1)} MB`)
  assert.ok(shown <= most.rows, `${shown} rows in the page`)
  assert.ok(holds <= most.heap, `a heap of ${holds} bytes`)
  assert.ok(opened.bytes <= look, `${opened.bytes} bytes until the first rows`)
  assert.ok(wheel.bytes - opened.bytes <= turns * look, `${wheel.bytes - opened.bytes} bytes read`)
  assert.deepEqual(page.faults, [])
  return { top, last }
}

test(`a directory of ${rows} files`, async (t) => {
  const opened = await open(ada, '#/folder/photos/files?path=many', 'Files', 'listbox')
  const { top, last } = await through(t, 'files', opened, true)
  assert.match(top[0], new RegExp(name(0)))
  assert.match(last.at(-1), new RegExp(name(rows - 1)))
  // One file more, before all others: what is in sight is read anew, and no more.
  const before = { ...opened.read }
  await ada.write('many/AAA.jpg', 'new')
  await ada.run('scan', 'photos')
  await opened.page.getByText('AAA.jpg').first().waitFor()
  await pause(5000)
  const bytes = opened.read.bytes - before.bytes
  t.diagnostic(`files, after a change: ${bytes} bytes in ${opened.read.answers - before.answers} answers`)
  assert.ok(bytes <= 5 * look, `${bytes} bytes after one change`)
  await opened.page.getByRole('searchbox').fill(name(rows - 7).toLowerCase())
  await until('what was searched', async () => (await opened.row.count()) === 1 && (await opened.row.first().textContent()).includes(name(rows - 7)))
  await opened.page.context().close()
})

test(`${rows} earlier versions of a file`, async (t) => {
  const opened = await open(ada, `#/versions/photos?path=${encodeURIComponent(`many/${name(0)}`)}`, /Earlier versions/, 'list')
  await through(t, 'versions', opened, false)
  await opened.page.context().close()
})

test(`${rows} files that are still to come`, async (t) => {
  const opened = await open(nas, '#/folder/photos', 'Still to come', 'listbox')
  const { last } = await through(t, 'needed', opened, true)
  assert.match(last.at(-1), new RegExp(name(rows - 1)))
  await opened.page.context().close()
})
