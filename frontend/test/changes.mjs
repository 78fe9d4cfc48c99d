// A thousand changes of state a second, for half a minute or, in the long tier,
// for five: what becomes of them in the page of a real browser. The engine is a
// part that changes and does nothing else (app/web/changes_test.go); feed, API,
// door and pages are those of the program.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { House } from './house.mjs'

const long = process.env.LANYARD_LONG === '1'
const seconds = long ? 300 : 30
const messages = 10
/** Of one core. */
const share = 0.15
/** Bytes and elements by which the page may grow: its graph remembers five minutes. */
const growth = { heap: 1_000_000, nodes: 500 }

let house, engine, lines, page
const pause = (ms) => new Promise((over) => setTimeout(over, ms))

before(async () => {
  house = await House.build()
  const env = { ...process.env, LANYARD_CHANGES: path.resolve('dist') }
  engine = spawn(process.env.LANYARD_CHANGES_TEST, ['-test.run', '^TestAThousandChangesASecondAreServed$', '-test.timeout', '20m'], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  lines = createInterface(engine.stdout)[Symbol.asyncIterator]()
  const context = await house.browser.newContext({ viewport: { width: 1080, height: 720 }, locale: 'en-GB' })
  page = await context.newPage()
  page.faults = []
  page.on('pageerror', (e) => page.faults.push(String(e)))
})

after(async () => {
  engine?.stdin.end()
  await house?.raze()
})

/** Processor seconds that the processes that draw pages have used, and their memory in bytes. */
async function used() {
  const session = await house.browser.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  await session.detach()
  const sum = { cpu: 0, memory: 0 }
  for (const { id } of processInfo.filter((p) => p.type === 'renderer')) {
    // The name stands in brackets and may hold anything; what follows is counted from there.
    const fields = fs.readFileSync(`/proc/${id}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')
    sum.cpu += (Number(fields[11]) + Number(fields[12])) / 100
    sum.memory += Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${id}/status`, 'utf8'))[1]) * 1024
  }
  assert.ok(sum.cpu > 0)
  return sum
}

test(`a thousand changes a second for ${seconds} s are at most ten messages a second, and cost little`, async (t) => {
  await page.goto((await lines.next()).value)
  await page.locator('h1').first().waitFor()
  const session = await page.context().newCDPSession(page)
  await Promise.all([session.send('Network.enable'), session.send('HeapProfiler.enable')])
  let told = 0
  session.on('Network.eventSourceMessageReceived', () => told++)
  page.on('response', (r) => r.url().endsWith('/status') && told++) // asked for again after a gap

  const holds = async () => {
    await session.send('HeapProfiler.collectGarbage')
    const { usedSize: heap } = await session.send('Runtime.getHeapUsage')
    const { nodes } = await session.send('Memory.getDOMCounters')
    return { heap, nodes }
  }
  for (const hash of ['#/transfers', '#/']) {
    await page.evaluate((h) => (location.hash = h), hash)
    await page.getByText('Photos 2020').first().waitFor()
    await pause(3000) // until all is compiled and drawn once
    const first = await holds()
    const held = []
    let [wall, memory, messagesIn] = [0, 0, 0]
    const costs = []
    for (let i = 0; i < 3; i++) {
      const [at, from, began] = [Date.now(), await used(), told]
      await pause((seconds * 1000) / 6)
      const to = await used()
      const took = (Date.now() - at) / 1000
      wall += took
      costs.push((to.cpu - from.cpu) / took)
      messagesIn += told - began
      memory = to.memory
      held.push(await holds()) // what collecting garbage costs is not the page's
    }
    const each = messagesIn / wall
    const cost = Math.min(...costs) // what else the machine does only adds to it
    t.diagnostic(`${hash}: ${each.toFixed(1)} messages a second, ${costs.map((c) => (c * 100).toFixed(1)).join(' ')} % of a core, heap ${[first, ...held].map((h) => (h.heap / 1e6).toFixed(2)).join(' ')} MB, ${held.at(-1).nodes} nodes, ${(memory / 1e6).toFixed(0)} MB resident`)
    assert.ok(each > 1, 'nothing changes')
    assert.ok(each <= messages * 1.05, `${each} messages a second`)
    assert.ok(cost <= share, `${cost} of a core`)
    const last = held.at(-1)
    assert.ok(last.heap - first.heap <= growth.heap, `the heap grew by ${last.heap - first.heap} bytes`)
    assert.ok(last.nodes - first.nodes <= growth.nodes, `the page grew by ${last.nodes - first.nodes} nodes`)
  }
  const ran = (Date.now() - (await page.evaluate(() => performance.timeOrigin))) / 1000
  engine.stdin.end()
  let count = 0
  for (let l = await lines.next(); !l.done; l = await lines.next()) count ||= Number(/^changes (\d+)/.exec(l.value)?.[1] ?? 0)
  t.diagnostic(`${count} changes of state in ${ran.toFixed(0)} s and a little more`)
  assert.ok(count >= 990 * ran, `${count} changes in ${ran} s`)
  assert.deepEqual(page.faults, [])
})
