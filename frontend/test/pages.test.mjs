// The pages in a real browser, over real engines.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { after, before } from 'node:test'
import { accessible, looked } from './axe.mjs'
import { House, until } from './house.mjs'
import { story } from './story.mjs'

const evil = '<img src=x onerror=alert(1)>'

let house, a, b, c, pageA, pageB

const test = story(() => ({ a: pageA, b: pageB }))

before(async () => {
  house = await House.build()
  ;[a, b, c] = await Promise.all([house.device('anna'), house.device('ben'), house.device('cara')])
  ;[pageA, pageB] = await Promise.all([a.open(), b.open()])
})

after(() => house?.raze())

const go = (page, hash) => page.evaluate((h) => (location.hash = h), hash)
const says = (page, text) => page.getByText(text).first().waitFor()

/** Moves with Tab alone to what has a name, as a person without a mouse does. */
async function tabTo(page, name, tag = '') {
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab')
    const at = await page.evaluate((tag) => {
      const e = document.activeElement
      if (e === document.body || (tag !== '' && e?.tagName !== tag)) return ''
      return (e?.getAttribute('aria-label') ?? '') + (e?.labels?.[0]?.textContent ?? '') + (e?.textContent ?? '')
    }, tag)
    if (at.includes(name)) return
  }
  assert.fail(`Tab does not lead to ${name}`)
}

test('the first screen has one sentence, the name, two choices and no ID', async () => {
  assert.equal(await pageA.locator('main a').count(), 2)
  assert.ok(!(await pageA.locator('body').innerText()).includes(a.id.slice(0, 7)))
  await accessible(pageA, 'first screen')
  await pageA.getByLabel('This computer is called').fill("Anna's laptop")
  await pageA.keyboard.press('Tab')
  await until('the name is stored', async () => (await a.status()).name === "Anna's laptop")
  await b.run('status')
})

test('a device is connected by a picture of its code, and both compare six digits', async () => {
  await pageB.getByLabel('This computer is called').fill(`Ben ${evil}`)
  await pageB.keyboard.press('Tab')
  await until('the name is stored', async () => (await b.status()).name !== '' && (await b.status()).name.startsWith('Ben'))
  await tabTo(pageA, 'Connect a device')
  await pageA.keyboard.press('Enter')
  const code = await pageA.getByRole('img', { name: 'QR code that connects' }).screenshot()
  await accessible(pageA, 'connect, with a code')
  await go(pageB, '#/connect/code')
  const choose = (buffer) => pageB.locator('input[type=file]').setInputFiles({ name: 'code.png', mimeType: 'image/png', buffer })
  await choose(await pageA.locator('h1').screenshot())
  await says(pageB, 'There is no Lanyard code in this picture')
  await choose(code)
  await says(pageB, new RegExp(`Connect with the device .*${a.id.slice(0, 7)}`))
  await accessible(pageB, 'connect, a code was read')
  await pageB.getByLabel('Its address, if').fill(a.address)
  await pageB.getByRole('button', { name: 'Connect', exact: true }).click()
  await Promise.all([says(pageA, /^Does .*Ben/), says(pageB, /^Waiting for/)])
  const digits = (page) => page.locator('.digits').innerText()
  assert.match(await digits(pageA), /^\d{3}\s*\d{3}$/)
  assert.equal(await digits(pageA), await digits(pageB))
  await accessible(pageA, 'comparing')
  assert.equal((await a.status()).devices.length, 0, 'stored before both agreed')
  await until('the buttons may be pressed', () => pageA.getByRole('button', { name: 'Yes, the same' }).isEnabled())
  await tabTo(pageA, 'Yes, the same')
  await pageA.keyboard.press('Enter')
  await Promise.all([says(pageA, /is connected, verified/), says(pageB, /is connected, verified/)])
  await until('connected', async () => (await a.status()).devices[0].connected)
})

test('a code that was used or is somebody else\'s is refused in words', async () => {
  await says(pageA, 'This code was used')
  await pageA.getByRole('button', { name: 'Show a new code' }).click()
  const [code] = await Promise.all([pageA.getByRole('img', { name: 'QR code that connects' }).screenshot(), go(pageA, '#/connect')])
  await go(pageA, '#/connect/code')
  await pageA.locator('input[type=file]').setInputFiles({ name: 'code.png', mimeType: 'image/png', buffer: code })
  await pageA.getByRole('button', { name: 'Connect', exact: true }).click()
  await says(pageA, 'This is the code of this computer')
  await pageA.getByLabel('Or paste its link').fill('lanyard://pair#!!!')
  await pageA.getByRole('button', { name: 'Look at it' }).click()
  await says(pageA, 'There is no Lanyard code in this picture')
})

test('a device is connected by its ID with the keyboard alone, and the other one is asked', async () => {
  const pageC = await c.open()
  await go(pageA, '#/connect')
  await tabTo(pageA, 'Device ID')
  await pageA.keyboard.press('Enter')
  await pageA.getByRole('textbox', { name: 'Device ID' }).waitFor()
  await tabTo(pageA, 'Device ID', 'TEXTAREA')
  await pageA.keyboard.type(c.id.slice(0, 20))
  await tabTo(pageA, 'Name')
  await says(pageA, 'A device ID has 56 signs')
  await pageA.keyboard.type('Cara')
  await pageA.keyboard.press('Shift+Tab')
  await pageA.keyboard.press('Control+A')
  await pageA.keyboard.type(c.id.replaceAll('-', '').toLowerCase())
  await tabTo(pageA, 'Fixed address')
  await pageA.keyboard.type(c.address)
  await tabTo(pageA, 'Connect a device', 'BUTTON')
  await pageA.keyboard.press('Enter')
  await pageA.getByRole('heading', { level: 1, name: 'Cara' }).waitFor()
  await says(pageC, /Anna's laptop.* wants to connect/)
  await says(pageC, new RegExp(a.id.slice(-7)))
  await accessible(pageC, 'a device asks')
  await pageC.getByRole('button', { name: 'Connect', exact: true }).click()
  await says(pageA, 'Connected')
  assert.deepEqual(pageC.faults, [])
  await pageC.context().close()
})

test('a folder is shared on one and accepted on the other, and its files arrive', async () => {
  for (let i = 0; i < 100; i++) await a.write(`2025/IMG_${i}.jpg`, `picture ${i}`)
  await a.write(`${evil.replaceAll('/', '_')}.txt`, 'x')
  await b.write('mine.txt', 'only here')
  await b.write('2025/IMG_0.jpg', 'picture 0')
  await go(pageA, '#/share')
  await pageA.getByLabel('Where the folder is').fill(a.dir)
  await says(pageA, /It holds \d+ files/)
  await pageA.getByLabel('Name on the other').fill('Photos')
  await pageA.getByLabel('Ben').check()
  await pageA.getByRole('button', { name: 'Share a folder' }).click()
  await pageA.getByRole('heading', { level: 1, name: 'Photos' }).waitFor()
  await a.run('scan')
  await go(pageB, '#/')
  await says(pageB, 'offers the folder')
  await pageB.getByRole('link', { name: 'Choose a place' }).click()
  await pageB.getByLabel('Where to put it').fill(b.dir)
  await says(pageB, 'This folder already holds 2 files')
  await Promise.all([says(pageB, 'One is the same on both'), says(pageB, /^One is only here/)])
  await accessible(pageB, 'offer with a preview')
  assert.deepEqual(fs.readdirSync(b.dir).toSorted(), ['2025', 'mine.txt'], 'something changed before it was accepted')
  await pageB.getByRole('button', { name: 'Accept' }).click()
  await pageB.getByRole('heading', { level: 1, name: 'Photos' }).waitFor()
  await until('all files', () => fs.readdirSync(path.join(b.dir, '2025')).length === 100)
  await Promise.all([says(pageA, 'In sync'), says(pageB, 'In sync')])
  await go(pageA, '#/')
  await says(pageA, 'Safe to close')
})

test('a saved file is told and arrives, and every state says why', async () => {
  await b.write('notes.txt', 'first')
  await until('it arrives', () => fs.existsSync(path.join(a.dir, 'notes.txt')))
  const [folder] = (await a.status()).folders
  await go(pageA, `#/folder/${folder.id}/history`)
  await pageA.getByLabel('File, such as').last().fill('notes.txt')
  await pageA.getByRole('button', { name: 'Why?' }).click()
  await says(pageA, 'It is the same on every device that shares the folder.')
})

test('an earlier version is put back', async () => {
  const [folder] = (await a.status()).folders
  await b.write('notes.txt', 'second')
  await until('it arrives', () => fs.readFileSync(path.join(a.dir, 'notes.txt'), 'utf8') === 'second')
  await go(pageA, `#/versions/${folder.id}?path=notes.txt`)
  await pageA.getByRole('button', { name: 'Put back' }).first().click()
  await until('it is back on both', () => [a, b].every((d) => fs.readFileSync(path.join(d.dir, 'notes.txt'), 'utf8') === 'first'))
})

test('what two devices changed while apart is compared, and one version is kept', async () => {
  const [folder] = (await a.status()).folders
  const text = (who) => `Garden club\n\n- Seed order goes out on ${who}\n- Tom repairs the pump\n- ${evil}\n`
  await a.run('device', 'pause', b.id)
  await a.write('plan.md', text('Friday'))
  await b.write('plan.md', text('Monday'))
  await Promise.all([a.run('scan'), b.run('scan')])
  await a.run('device', 'resume', b.id)
  await until('both know of it', async () => (await Promise.all([a.status(), b.status()])).every((s) => s.folders[0].conflicts === 1))
  await go(pageA, '#/needs')
  await pageA.getByRole('link', { name: 'Compare' }).click()
  await says(pageA, 'One file was changed on two devices.')
  await accessible(pageA, 'files with two versions')
  await tabTo(pageA, 'plan.md')
  await pageA.keyboard.press('Enter')
  await says(pageA, 'Both versions are safe')
  await Promise.all([says(pageA, '- Seed order goes out on Friday'), says(pageA, '- Seed order goes out on Monday')])
  assert.equal(await pageA.locator('.ln.diff').count(), 2)
  assert.equal(await pageA.locator('main img').count(), 0)
  await accessible(pageA, 'two versions')
  if (process.env.SHOTS) await pageA.screenshot({ path: path.join(process.env.SHOTS, 'two-versions.png') })
  await tabTo(pageA, 'Keep theirs', 'BUTTON')
  await pageA.keyboard.press('Enter')
  await says(pageA, 'No file has two versions')
  await until('one version is left on both', () => [a, b].every((d) => fs.readFileSync(path.join(d.dir, 'plan.md'), 'utf8') === text('Monday') && !fs.readdirSync(d.dir).some((n) => n.includes('conflict'))))
  const kept = fs.readdirSync(path.join(a.dir, '.stversions')).find((n) => n.startsWith('plan~'))
  assert.equal(fs.readFileSync(path.join(a.dir, '.stversions', kept), 'utf8'), text('Friday'))
  await Promise.all([until('in sync', async () => (await a.status()).folders[0].in_sync), go(pageA, `#/versions/${folder.id}?path=plan.md`)])
  await says(pageA, 'Replaced or deleted')
})

test('files are looked at with their state, and rules are tried before they hold', async () => {
  const [folder] = (await a.status()).folders
  await go(pageA, `#/folder/${folder.id}/files`)
  await says(pageA, 'notes.txt')
  await accessible(pageA, 'files')
  await pageA.getByRole('option', { name: /2025/ }).click()
  await says(pageA, 'IMG_10.jpg')
  await says(pageA, '100 names')
  await go(pageA, `#/folder/${folder.id}/rules`)
  await pageA.getByLabel('Rules of this folder').fill('IMG_1*.jpg\n[')
  await says(pageA, /^Line 2|cannot be read/)
  await pageA.getByLabel('Rules of this folder').fill('*.bak\nIMG_1*.jpg\n')
  await says(pageA, /They leave out 11 of \d+ files/)
  await says(pageA, '2025/IMG_1.jpg')
  await accessible(pageA, 'rules')
  assert.ok(!fs.existsSync(path.join(a.dir, '.stignore')), 'written before it was asked for')
  await pageA.getByLabel('Rules of this folder').fill('*.bak\n')
  await says(pageA, /They leave out 0 of/)
  await pageA.getByRole('button', { name: 'Use these rules' }).click()
  await until('they are written', () => fs.readFileSync(path.join(a.dir, '.stignore'), 'utf8') === '*.bak\n')
})

test('many deletions are held until a person decides', async () => {
  // All at once: of deletions that trickle in, the first few are let through.
  fs.renameSync(path.join(b.dir, '2025'), path.join(house.root, 'gone'))
  const held = async (d) => (await d.status()).folders[0].held > 0
  await until('one of them holds it', async () => (await held(a)) || (await held(b)))
  if (!(await held(a))) {
    // It went without being watched: that device asks before it tells the others.
    await go(pageB, '#/')
    await pageB.getByRole('link', { name: 'Look at them' }).click()
    await pageB.getByRole('button', { name: 'Delete them everywhere' }).click()
  }
  await go(pageA, '#/needs')
  await says(pageA, /100 of \d+ files were deleted/)
  await accessible(pageA, 'needs you')
  await pageA.getByRole('link', { name: 'Look at them' }).click()
  await pageA.getByRole('button', { name: 'Put them back' }).click()
  await until('they are back', () => fs.readdirSync(path.join(b.dir, '2025')).length === 100)
})

test('an engine that is gone is said, and the page goes on when it is back', async () => {
  await go(pageA, '#/')
  await a.stop()
  await says(pageA, "Lanyard's engine is starting")
  await accessible(pageA, 'the engine is gone')
  await a.start()
  await says(pageA, 'This browser has not come in yet') // its session ended with the engine
  await accessible(pageA, 'nobody has come in')
  await pageA.context().close()
  pageA = await a.open()
  await says(pageA, 'Photos')
})

test('what happened is told live, and is found again', async () => {
  await go(pageA, '#/')
  await pageA.keyboard.press('Control+4')
  await pageA.getByRole('heading', { level: 1, name: 'Activity' }).waitFor()
  await says(pageA, 'connected') // the device, at least: the engine was started anew
  await b.write('told.txt', 'told')
  await pageA.getByRole('option').filter({ hasText: 'told.txt' }).filter({ hasText: 'Added by' }).waitFor()
  await accessible(pageA, 'activity')
  await pageA.keyboard.press('Control+f')
  await pageA.keyboard.type('TOLD')
  await until('only that is left', async () => (await pageA.locator('.vrow').count()) === 1)
  assert.ok(await pageA.evaluate(() => document.activeElement?.type === 'search'), 'the focus left the field')
  await pageA.getByLabel('What').selectOption('devices')
  await says(pageA, 'Nothing like that has happened')
})

test('the keyboard goes anywhere, and says what it can', async () => {
  const at = () => pageA.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.tagName)
  await go(pageA, '#/settings')
  await until('the page is open', async () => (await at()) === 'H1')
  await pageA.keyboard.press('?')
  await pageA.getByRole('dialog', { name: 'Keys' }).waitFor()
  await says(pageA, 'Search in this page')
  await accessible(pageA, 'keys')
  await pageA.keyboard.press('Escape')
  await until('the focus is back', async () => (await at()) === 'H1')
  await pageA.keyboard.press('Control+k')
  await pageA.locator('dialog input').waitFor()
  await pageA.keyboard.type('phot')
  await pageA.getByRole('option', { name: 'Photos' }).first().waitFor()
  await accessible(pageA, 'go to')
  await pageA.keyboard.press('Enter')
  await pageA.getByRole('heading', { level: 1, name: 'Photos' }).waitFor()
  await until('the page is read', async () => (await at()) === 'H1')
  // Both can be had by pressing what is seen.
  await pageA.getByRole('button', { name: 'Go to…' }).click()
  await pageA.getByRole('dialog', { name: 'Go to…' }).getByRole('button', { name: 'Close' }).click()
  await go(pageA, '#/settings')
  await pageA.getByRole('button', { name: /^Keys/ }).click()
  await pageA.getByRole('dialog', { name: 'Keys' }).waitFor()
  await pageA.keyboard.press('Escape')
})

const screens = async () => {
  const [folder] = (await a.status()).folders
  return ['#/', '#/needs', '#/transfers', '#/activity', '#/settings', '#/connect', '#/connect/code', '#/connect/id', '#/share', '#/more', `#/folder/${folder.id}`, `#/folder/${folder.id}/history`, `#/folder/${folder.id}/files`, `#/folder/${folder.id}/rules`, '#/doctor', '#/support', '#/licences',
    `#/folder/${folder.id}/options`, `#/device/${b.id}`, `#/why/${folder.id}?path=notes.txt`, `#/versions/${folder.id}?path=notes.txt`]
}

for (const [theme, width, height, language] of [['light', 1080, 720, 'en-GB'], ['dark', 720, 520, 'de-DE'], ['light', 400, 800, 'de-DE']]) {
  test(`every screen is accessible in both themes and holds its width: ${width} wide, ${language}`, async () => {
    const page = await a.open({ theme, width, height, language })
    for (const hash of await screens()) {
      await go(page, hash)
      await page.locator('h1').first().waitFor()
      await accessible(page, `${hash} ${width}`)
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${hash} is wider than ${width}`)
      if (process.env.SHOTS) await page.screenshot({ path: path.join(process.env.SHOTS, `${theme}-${width}-${hash.replaceAll(/[^a-z]+/gi, '-').slice(0, 40)}.png`) })
    }
    assert.deepEqual(page.faults, [])
    await page.context().close()
  })
}

test('what asks before it cannot be undone is accessible', async () => {
  const [folder] = (await a.status()).folders
  for (const [hash, name] of [[`#/folder/${folder.id}/options`, 'Remove from this computer'], [`#/device/${b.id}`, 'Revoke this device']]) {
    await go(pageA, hash)
    await pageA.getByRole('button', { name }).click()
    await pageA.getByRole('dialog').waitFor()
    await accessible(pageA, name)
    await pageA.keyboard.press('Escape')
    await until('it closes', async () => (await pageA.getByRole('dialog').count()) === 0)
  }
  assert.equal((await a.status()).folders.length, 1)
})

test('no page was left out', () => {
  const places = fs.readFileSync('src/lib/app/router.svelte.ts', 'utf8').split('export type Place')[1].split('\n\n')[0]
  const pages = [...places.matchAll(/'(\w+)'/g)].map((m) => (m[1] === 'overview' ? '' : m[1]))
  assert.ok(pages.length > 10)
  assert.deepEqual(pages.filter((page) => !looked.has(page)), [])
})

test('a script that came into the page by its markup does not run', async () => {
  const page = await a.open()
  await page.evaluate(() => {
    const script = document.createElement('script')
    script.textContent = 'globalThis.ran = "script"'
    const data = document.createElement('script')
    data.src = 'data:text/javascript,globalThis.ran = "data"'
    const link = document.createElement('a')
    link.href = 'javascript:globalThis.ran = "link"'
    const button = document.createElement('button')
    button.setAttribute('onclick', 'globalThis.ran = "handler"')
    document.body.append(script, data, link, button)
    link.click()
    button.click()
    setTimeout('globalThis.ran = "text"')
  }).catch(() => undefined) // the last one throws
  await until('each is refused', () => page.faults.filter((f) => f.includes('Content Security Policy')).length >= 5)
  assert.equal(await page.evaluate(() => globalThis.ran), undefined)
  await page.context().close()
})

test('a page of another origin gets nothing and changes nothing', async () => {
  const before = JSON.stringify((await a.status()).devices.map((d) => d.id))
  const body = JSON.stringify({ id: house.devices[1].id, name: 'evil' })
  const server = http.createServer((_, r) => r.setHeader('Content-Type', 'text/html').end('<!doctype html><title>evil</title><body>'))
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const page = await pageA.context().newPage() // the same browser, which holds the session
  await page.goto(`http://127.0.0.1:${server.address().port}/`)
  const door = `http://${a.door}`
  const tried = await page.evaluate(async ({ door, body }) => {
    const ask = (url, init) => fetch(url, init).then((r) => `${r.type} ${r.status}`, () => 'refused')
    const socket = await new Promise((done) => {
      const s = new WebSocket(`${door.replace('http', 'ws')}/api/v1/events`)
      s.addEventListener('open', () => done('open'))
      s.addEventListener('error', () => done('refused'))
    })
    const form = document.createElement('form')
    form.method = 'post'
    form.enctype = 'text/plain'
    form.action = `${door}/api/v1/stop`
    const frame = document.createElement('iframe')
    frame.name = 'f'
    form.target = 'f'
    document.body.append(frame, form)
    form.submit()
    await new Promise((done) => frame.addEventListener('load', done))
    return [
      await ask(`${door}/api/v1/status`, { credentials: 'include' }),
      await ask(`${door}/api/v1/devices`, { method: 'POST', credentials: 'include', body, headers: { 'Content-Type': 'application/json' } }),
      await ask(`${door}/api/v1/stop`, { method: 'POST', credentials: 'include', mode: 'no-cors', body: '{}' }),
      socket,
    ]
  }, { door, body })
  assert.deepEqual(tried, ['refused', 'refused', 'refused', 'refused'])
  // A name that someone bent to this address is not answered either.
  const bent = await page.goto(`http://evil.example:${a.door.split(':')[1]}/`)
  assert.equal(bent.status(), 421)
  await page.close()
  server.close()
  assert.equal(JSON.stringify((await a.status()).devices.map((d) => d.id)), before)
})

test('no page reported a fault', () => assert.deepEqual([...pageB.faults], []))
