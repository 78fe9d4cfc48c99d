// Real engines for tests of the pages: each has a home of its own and lets one
// browser in. Nothing is simulated.
import { execFile, spawn } from 'node:child_process'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { chromium } from 'playwright-core'

const run = promisify(execFile)
const bin = process.env.LANYARD_BIN ?? path.resolve('../build/bin/lanyard')

export const patience = Number(process.env.PATIENCE ?? 30) * 1000

/** Asks until something is true, and fails with what was said last. */
export async function until(what, ask) {
  const end = Date.now() + patience
  let last
  for (;;) {
    try {
      const got = await ask()
      if (got) return got
      last = got
    } catch (e) {
      last = e
    }
    if (Date.now() > end) throw new Error(`${what}: not within ${patience / 1000} s: ${last}`)
    await new Promise((done) => setTimeout(done, 100))
  }
}

export class House {
  /** Makes a house without devices: what it holds lies below root, else below a directory that is removed in the end. */
  static async build({ root } = {}) {
    const house = new House()
    house.root = root ?? (await fs.mkdtemp(path.join(os.tmpdir(), 'lanyard-pages-')))
    house.temporary = root === undefined
    house.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run', '--disable-component-update',
        // No name leads outside.
        '--host-resolver-rules=MAP evil.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
    })
    house.devices = []
    return house
  }

  /** Makes a device. One that is nearby looks for others, and listens to its network. */
  async device(name, { nearby = false } = {}) {
    const d = new Device(this, name)
    this.devices.push(d)
    d.flags = nearby ? [] : ['--no-discovery']
    d.address = nearby ? 'quic://0.0.0.0:0' : 'quic://127.0.0.1:0'
    await d.start()
    return d
  }

  async raze() {
    await this.browser?.close()
    await Promise.all(this.devices.map((d) => d.stop()))
    if (this.temporary) await fs.rm(this.root, { recursive: true, force: true })
  }
}

export class Device {
  constructor(house, name) {
    this.house = house
    this.name = name
    this.root = path.join(house.root, name)
    this.home = path.join(this.root, 'home')
    this.dir = path.join(this.root, 'files')
  }

  /** Runs one command of the command line and gives its output. */
  async run(...args) {
    return (await run(bin, ['--home', this.home, ...args])).stdout.trim()
  }

  async start() {
    await fs.mkdir(this.dir, { recursive: true })
    // Folders that are accepted go beside the others, and not to whoever runs this.
    const env = { ...process.env, HOME: this.root }
    this.engine = spawn(bin, ['--home', this.home, 'serve', '--listen', this.address, '--web', this.door ?? '127.0.0.1:0', ...this.flags], { env, stdio: ['ignore', 'ignore', 'pipe'] })
    this.log = ''
    this.engine.stderr.on('data', (part) => (this.log += part))
    this.ended = new Promise((done) => this.engine.once('exit', done))
    await until(`${this.name} runs`, () => this.run('status', '--json'))
    const status = await this.status()
    this.id = status.device_id
    this.address = status.listen.find((a) => a.startsWith('quic://'))
    this.door = new URL(await this.run('web')).host
  }

  async stop() {
    this.engine?.kill('SIGTERM')
    await this.ended
  }

  async status() {
    return JSON.parse(await this.run('status', '--json'))
  }

  /** Opens the pages in a browser of their own that came in by a one-time address; init runs before any page does. */
  async open({ width = 1080, height = 720, theme = 'light', language = 'en-GB', init } = {}) {
    const context = await this.house.browser.newContext({ viewport: { width, height }, colorScheme: theme, locale: language, reducedMotion: 'reduce' })
    if (init) await context.addInitScript(init)
    const page = await context.newPage()
    page.setDefaultTimeout(patience)
    page.faults = []
    page.on('pageerror', (e) => page.faults.push(String(e)))
    // What a folder cannot tell yet, since it is being opened, is answered with 503, and asked again.
    page.on('console', (m) => m.type() === 'error' && !m.text().includes('status of 503') && page.faults.push(m.text()))
    await page.goto(await this.run('web'))
    await page.locator('h1').first().waitFor()
    return page
  }

  async write(name, content) {
    const file = path.join(this.dir, name)
    await fs.mkdir(path.dirname(file), { recursive: true })
    await fs.writeFile(file, content)
  }
}

/** Makes two devices know each other and share a folder, past the pages. */
export async function join(a, b, id, label) {
  await a.run('device', 'add', b.id, '--name', b.name, '--address', b.address)
  await b.run('device', 'add', a.id, '--name', a.name, '--address', a.address)
  await a.run('folder', 'add', a.dir, '--id', id, '--label', label, '--share', b.id)
  await b.run('folder', 'add', b.dir, '--id', id, '--label', label, '--share', a.id)
}
