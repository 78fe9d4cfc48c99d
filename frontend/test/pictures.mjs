// Makes the pictures of the README: of real engines that have real work, in a
// network and under a /home of their own, so that what is shown is what a
// person would see. The identities and codes in them end with the script.
import { execFileSync } from 'node:child_process'
import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { House, until } from './house.mjs'
import { enter, here, slow } from './inside.mjs'

const out = path.resolve('../docs/pictures')
const largest = 150_000

if (process.env.LANYARD_INSIDE === undefined) process.exit(enter([fileURLToPath(import.meta.url)], { stdio: 'inherit' }).status ?? 1)

// This process has mounts of its own.
execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', '/home'])
const house = await House.build({ root: '/home' })
try {
  await draw()
} finally {
  await house.raze()
}

async function draw() {
  const names = { ada: "Ada's laptop", studio: 'Studio desktop', attic: 'Attic NAS', maja: "Maja's laptop" }
  const devices = Object.fromEntries(await Promise.all(Object.keys(names).map(async (name) => [name, await house.device(name, { nearby: true })])))
  const { ada, studio, attic } = devices
  const pages = Object.fromEntries(await Promise.all(Object.entries(devices).map(async ([name, d]) => [name, await d.open()])))
  const ask = (page, method, what, body) =>
    page.evaluate(async ([method, what, body]) => {
      const request = { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
      const answer = await fetch(`/api/v1${what}`, request)
      if (!answer.ok) throw new Error(`${what}: ${answer.status} ${await answer.text()}`)
    }, [method, what, body])
  for (const [name, page] of Object.entries(pages)) await ask(page, 'PATCH', '/id', { name: names[name] })
  const known = [ada, studio, attic]
  for (const d of known) {
    for (const o of known.filter((o) => o !== d)) {
      const address = o.address.replace('0.0.0.0', here)
      await d.run('device', 'add', o.id, '--name', names[o.name], '--address', address)
    }
  }
  await Promise.all(known.map((d) => until(`${d.name} may be seen`, async () => (await d.run('network', 'trust')) !== undefined)))
  await Promise.all(known.map((d) => until(`${d.name} is connected`, async () => (await d.status()).devices.every((o) => o.connected))))

  const share = async (label, members, files) => {
    const id = label.toLowerCase().replaceAll(' ', '-')
    for (const [name, content] of Object.entries(files)) write(path.join(ada.root, label, name), content)
    for (const d of members) {
      const others = members.flatMap((o) => (o === d ? [] : ['--share', o.id]))
      await d.run('folder', 'add', path.join(d.root, label), '--id', id, '--label', label, ...others)
    }
    return id
  }
  const recipes = Object.fromEntries(['Plum cake', 'Lentil soup', 'Rye bread', 'Apricot jam', 'Pumpkin curry', 'Potato salad'].flatMap((dish) =>
    Array.from({ length: 12 }, (_, i) => [`${2014 + i}/${dish}.md`, `# ${dish}\n\nAs cooked in ${2014 + i}.\n`])))
  const chapter = (line) => `# 3 Results\n\nThe samples were taken in spring.\n${line}\nTable 4 lists all of them.\n`
  const thesis = await share('Thesis', [ada, studio], { 'Chapter 1.md': '# 1 Introduction\n', 'Chapter 3.md': chapter('They were measured twice.'), 'References.bib': '@book{}\n' })
  await share('Recipes', known, recipes)
  const photos = await share('Photos 2026', [ada, studio], { '01 January/IMG_1804.jpg': crypto.randomBytes(3_100_000) })
  const inSync = (d) => until(`${d.name} is in sync`, async () => (await d.status()).folders.every((f) => f.in_sync))
  await Promise.all(known.map(inSync))

  // One chapter is written on two devices that do not see each other.
  await ada.run('device', 'pause', studio.id)
  write(path.join(ada.root, 'Thesis/Chapter 3.md'), chapter('They were measured twice, by two of us, with the same scale.'))
  write(path.join(studio.root, 'Thesis/Chapter 3.md'), chapter('They were measured three times.'))
  await Promise.all([ada.run('scan', thesis), studio.run('scan', thesis)])
  await ada.run('device', 'resume', studio.id)
  await until('there are two versions', async () => (await ada.status()).folders.some((f) => f.conflicts === 1))
  // Somebody deletes nearly all recipes.
  for (let year = 2014; year < 2025; year++) fs.renameSync(path.join(studio.root, 'Recipes', String(year)), path.join(studio.root, `gone ${year}`))
  const holds = async (d) => (await d.status()).folders.some((f) => f.held > 0)
  await until('they are held', async () => (await holds(ada)) || (await holds(studio)))
  // And many photos are on their way.
  const end = await slow([ada, studio, attic].map((d) => new URL(d.address.replace('quic', 'http')).port), 40)
  for (let i = 0; i < 60; i++) write(path.join(ada.root, `Photos 2026/07 Lisbon/IMG_${2041 + i}.jpg`), crypto.randomBytes(3_000_000 + (i * 617_333) % 2_000_000))

  await go(pages.ada, '#/')
  await go(pages.studio, `#/folder/${photos}`)
  await Promise.all([pages.ada, pages.studio].map((p) => p.getByText(/minutes?( |$|\.)/).first().waitFor()))
  const conflict = fs.readdirSync(path.join(ada.root, 'Thesis')).find((name) => name.includes('.sync-conflict-'))
  await shoot(pages.ada, 'overview')
  await shoot(pages.studio, 'folder')
  await go(pages.ada, '#/connect')
  await pages.ada.locator('.near li').getByText(names.maja).waitFor()
  await pages.ada.getByRole('img', { name: 'QR code that connects' }).waitFor()
  await shoot(pages.ada, 'connect')
  await go(pages.ada, `#/conflict/${thesis}?path=${encodeURIComponent(conflict)}`)
  await pages.ada.getByText('Both versions are safe').waitFor()
  await shoot(pages.ada, 'two-versions')
  await end()
}

async function go(page, hash) {
  await page.evaluate((h) => (location.hash = h), hash)
}

function write(file, content) {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, content)
}

/** Keeps a picture of a page in both themes. */
async function shoot(page, name) {
  fs.mkdirSync(out, { recursive: true })
  await page.mouse.move(0, 0)
  for (const theme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: theme })
    await page.waitForFunction((theme) => document.documentElement.dataset.theme === theme, theme)
    const file = path.join(out, `${name}-${theme}.png`)
    await page.screenshot({ path: file })
    const { size } = fs.statSync(file)
    process.stdout.write(`${file}: ${size} bytes\n`)
    if (size > largest) throw new Error(`${file} is larger than ${largest} bytes`)
  }
}
