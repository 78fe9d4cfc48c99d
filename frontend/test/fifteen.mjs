// What two newcomers do in their first fifteen minutes, with two real engines in
// a network of their own and a real Syncthing as the phone. The numbers of the
// steps are those of docs/testing.md.
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { after, before } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { accessible } from './axe.mjs'
import { House, until } from './house.mjs'
import { leave, past, slow } from './inside.mjs'
import { people } from './person.mjs'
import { Phone } from './phone.mjs'
import { story } from './story.mjs'

const photos = 150
const films = 12
const film = 4_000_000
/** Megabits a second while a transfer is watched. */
const cable = 128

/** Every heading that a page ever shows, from its first moment on. */
function headings() {
  globalThis.headings = []
  const look = () => {
    const title = document.querySelector('h1')?.textContent
    if (title !== undefined && title !== globalThis.headings.at(-1)) globalThis.headings.push(title)
  }
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true })
}

/** The files below a directory, each with its content and time, without what is the program's own. */
function tree(dir) {
  const files = fs.readdirSync(dir, { recursive: true, withFileTypes: true }).filter((f) => f.isFile())
  const all = files.map((f) => path.relative(dir, path.join(f.parentPath ?? f.path, f.name))).filter((name) => !/(^|\/)\.(st|syncthing\.)/.test(name))
  return Object.fromEntries(all.toSorted().map((name) => {
    const file = path.join(dir, name)
    return [name, `${crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex')} ${fs.statSync(file).mtimeMs}`]
  }))
}

function write(dir, name, content) {
  const file = path.join(dir, name)
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, content)
}

/** Registers the whole story, as one kind of person lives it. */
export function tell(kind) {
  let house, a, b, phone, anna, ben, pageA, pageB
  const part = story(() => ({ [`${kind}-a`]: pageA, [`${kind}-b`]: pageB }))
  const step = (name, act) => part(`${kind}: ${name}`, act)
  const Person = people[kind]
  /** The rules are the same for both; one of them looks. */
  const fair = (page, where) => (kind === 'mouse' ? accessible(page, where) : undefined)
  const both = (ask) => Promise.all([ask(anna, a), ask(ben, b)])
  const near = (name) => pageA.locator('.near li', { hasText: name })
  const side = (person) => person.page.locator('.side')
  const urgent = (page) => page.locator('[aria-live=assertive]').innerText()
  const photosOf = (d) => (d === a ? path.join(a.root, 'Pictures', 'Photos') : path.join(b.root, 'Photos'))
  const sent = async () => (await Promise.all([a, b].map((d) => d.status()))).flatMap((s) => s.devices).reduce((n, d) => n + d.out_bytes, 0)

  before(async () => {
    house = await House.build()
    phone = new Phone(house.root)
  })
  after(async () => {
    phone?.process?.kill()
    await house?.raze()
  })

  step('step 1: the first start shows content, makes an identity and says nothing outside', async (t) => {
    assert.ok(!fs.existsSync(path.join(house.root, 'anna')))
    const began = Date.now()
    ;[a, b] = await Promise.all(['anna', 'ben'].map((name) => house.device(name, { nearby: true })))
    ;[pageA, pageB] = await Promise.all([a, b].map((d) => d.open({ init: headings })))
    t.diagnostic(`both show content ${Date.now() - began} ms after their start`)
    anna = new Person(pageA)
    ben = new Person(pageB)
    for (const page of [pageA, pageB]) {
      assert.deepEqual(await page.evaluate(() => globalThis.headings), ['The same folders on all your computers.'], 'what was shown first')
      assert.equal(await page.locator('[role=progressbar], [aria-busy=true]').count(), 0)
    }
    for (const d of [a, b]) assert.equal(fs.statSync(path.join(d.home, 'key.pem')).mode & 0o777, 0o600)
    assert.notEqual(a.id, b.id)
    assert.equal(await past(), 0, 'packets that left this network')
  })

  step('step 2: one sentence, a name to change, two choices and no ID', async () => {
    assert.equal(await pageA.locator('main h1').count(), 1)
    assert.deepEqual(await pageA.locator('main a b').allInnerTexts(), ['Connect a device', 'Share a folder'])
    assert.equal(await pageA.locator('main a, main button').count(), 2)
    assert.doesNotMatch(await pageA.locator('body').innerText(), /[A-Z2-7]{7}/)
    await fair(pageA, 'first screen')
    await anna.write('This computer is called', "Anna's laptop")
    await ben.write('This computer is called', "Ben's laptop")
    await both((person) => person.leave())
    await both((_, d) => until('the name is stored', async () => (await d.status()).name === (d === a ? "Anna's laptop" : "Ben's laptop")))
    await phone.start()
  })

  step('step 4: the other one is nearby by its name, with a code beside, and so is a Syncthing', async (t) => {
    const began = Date.now()
    await anna.press('link', /^Connect a device/)
    await near("Ben's laptop").waitFor()
    t.diagnostic(`nearby ${Date.now() - began} ms after it was asked for`)
    assert.ok(!(await near("Ben's laptop").innerText()).includes(b.id.slice(0, 7)), 'its ID is shown')
    await anna.find('img', 'QR code that connects one device with this computer').waitFor()
    await near(new RegExp(`Syncthing device .*${phone.id.slice(0, 7)}`)).waitFor()
    await fair(pageA, 'nearby')
  })

  step('step 7: digits that differ end it, and nothing is stored', async () => {
    await anna.press('button', 'Connect', near("Ben's laptop"))
    await ben.reads(/^Does .*Anna's laptop.* show the same number/)
    await ben.press('button', 'No, different')
    await both((person) => person.reads('The numbers differ, so nothing was connected'))
    assert.deepEqual((await both((_, d) => d.status())).flatMap((s) => s.devices), [])
    await fair(pageB, 'digits that differ')
  })

  step('step 5: both show the same six digits, and neither can finish alone', async () => {
    // After a mismatch neither device takes another run for a second.
    await new Promise((over) => setTimeout(over, 1500))
    await anna.press('button', 'Connect', near("Ben's laptop"))
    await both((person) => person.page.locator('.digits').waitFor())
    const [one, other] = await both((person) => person.page.locator('.digits').innerText())
    assert.match(one, /^\d{3}\s*\d{3}$/)
    assert.equal(one, other)
    await ben.reads(/^Does .*Anna's laptop.* show the same number/)
    const singly = one.replaceAll(/\D/g, '').split('').join(' ')
    await both((person) => until('the digits are announced singly', async () => (await urgent(person.page)).includes(singly)))
    // No answer has the focus by itself: a key that was meant for something else does nothing.
    assert.ok(!(await pageB.evaluate(() => document.activeElement?.closest('.six') !== null)))
    await fair(pageA, 'comparing')
    await anna.press('button', 'Yes, the same')
    await anna.reads(/^Waiting for .*Ben's laptop/)
    assert.deepEqual((await both((_, d) => d.status())).flatMap((s) => s.devices), [], 'one side alone')
  })

  step('step 6: after both agreed they are connected, verified, and nothing else is asked', async () => {
    await ben.press('button', 'Yes, the same')
    await both((person) => person.reads(/is connected, verified/))
    await both((person) => until('it is announced', async () => (await urgent(person.page)).includes('is connected, verified')))
    await both((_, d) => until('they are connected', async () => (await d.status()).devices[0]?.connected))
    for (const s of await both((_, d) => d.status())) {
      assert.equal(s.devices.length, 1)
      assert.deepEqual([s.pairing.requests, s.pairing.runs.filter((r) => r.state === 'asking')], [[], []])
    }
  })

  step('step 11: the receiver sees from whom, what, how big and where, and accepts without typing', async (t) => {
    for (let i = 0; i < photos; i++) write(photosOf(a), `2025/IMG_${1000 + i}.jpg`, `picture ${i}`)
    await anna.press('link', 'Share a folder with it')
    assert.ok(await anna.find('checkbox', "Ben's laptop").isChecked())
    await anna.write('Where the folder is on this computer', photosOf(a))
    await anna.write('Name on the other devices, if you like', 'Photos')
    const picked = Date.now()
    await anna.press('button', 'Share a folder')
    await anna.find('heading', 'Photos').waitFor()
    // From whom, what, how big, where to and how much is free stands in one card, with three answers.
    const card = pageB.locator('.offer')
    await ben.reads(/Anna's laptop.* offers the folder .*Photos/)
    const shown = Date.now()
    for (const part of [`${photos} files,`, /Goes to .*ben.Photos/, / free there/]) await card.getByText(part).first().waitFor()
    t.diagnostic(`offered ${shown - picked} ms after B was picked, and counted ${Date.now() - picked} ms after it`)
    assert.equal(await card.count(), 1)
    for (const [role, name] of [['button', 'Accept'], ['link', 'Choose a place'], ['button', 'Not now']]) await ben.find(role, name, card).waitFor()
    await ben.press('link', 'Choose a place')
    await ben.reads(`${photos} files,`)
    await ben.reads(/ free, .* left afterwards/)
    assert.equal(await ben.find('textbox', 'Where to put it on this computer').inputValue(), photosOf(b))
    const [folder] = (await a.status()).folders
    assert.ok(!(await pageB.locator('body').innerText()).includes(folder.id), 'the ID of the folder is shown')
    await ben.find('button', 'Decline').waitFor()
    await ben.find('link', 'Not now').waitFor()
    await fair(pageB, 'offer')
    assert.ok(!fs.existsSync(photosOf(b)), 'made before it was accepted')
    await ben.press('button', 'Accept')
    await ben.find('heading', 'Photos').waitFor()
    await both((person) => person.reads('In sync'))
    assert.deepEqual(tree(photosOf(b)), tree(photosOf(a)))
  })

  step('step 9: a phone reads the plain ID, and this computer asks once', async (t) => {
    // A Syncthing hears of this computer where it may say who it is.
    await anna.press('link', /^Needs you/, side(anna))
    await anna.press('button', 'Yes, trust it')
    await anna.press('link', 'Connect a device', side(anna))
    await anna.press('button', 'Phone with Syncthing')
    const picture = path.join(house.root, 'id.png')
    await anna.find('img', 'QR code with the device ID of this computer').screenshot({ path: picture })
    assert.equal(phone.read(picture), a.id)
    await fair(pageA, 'the ID for a phone')
    const began = Date.now()
    await phone.save(a.id, "Anna's laptop")
    const asks = pageA.locator('section.asks', { hasText: /Phone.* wants to connect/ })
    await asks.waitFor()
    t.diagnostic(`asked ${Date.now() - began} ms after the phone has saved it`)
    assert.equal(await asks.count(), 1)
    await fair(pageA, 'a phone asks')
    await anna.press('button', 'Connect', asks)
    await until('the question is gone', async () => (await asks.count()) === 0)
    assert.ok((await a.status()).devices.some((d) => d.id === phone.id))
  })

  step('step 14: both sides tell the same of a transfer', async () => {
    await anna.press('link', /^Photos/, side(anna))
    await both((person) => person.reads('In sync'))
    const end = await slow((await both((_, d) => d.status())).flatMap((s) => s.listen).map((l) => new URL(l.replace(/^\w+:/, 'http:')).port), cable)
    const content = Array.from({ length: films }, () => crypto.randomBytes(film))
    content.forEach((bytes, i) => write(photosOf(a), `Lisbon/MOV_${i}.mp4`, bytes))
    const whole = () => content.every((bytes, i) => {
      const file = path.join(photosOf(b), `Lisbon/MOV_${i}.mp4`)
      return fs.existsSync(file) && fs.readFileSync(file).equals(bytes)
    })
    const tells = async (page) => {
      const text = (await page.locator('main .big-p').innerText()).trim()
      const files = await page.locator('main .frow .name').allInnerTexts()
      const [, all] = / of ([\d.,]+\s\w+)/.exec(text) ?? []
      return { files, works: /^(Sending to .*Ben's laptop|Receiving)/.test(text), sync: text.startsWith('In sync'), all, rate: /B\/s/.test(text), left: /minute|how long/.test(text) }
    }
    let looks = 0
    let apart = 0
    let agreed = 0
    const began = [false, false]
    await until('both say that it is done', async () => {
      const now = await Promise.all([pageA, pageB].map(tells))
      now.forEach((n, i) => (began[i] ||= n.works))
      const done = now.map((n, i) => began[i] && n.sync)
      if (done.some(Boolean)) assert.ok(whole(), `${done[0] ? 'the sender' : 'the receiver'} says too early that it is in sync`)
      // What one knows reaches the other in a moment, and not only at the end.
      apart = now.some((n) => n.works) && now.some((n) => n.sync) ? apart + 1 : 0
      assert.ok(apart < 30, 'one is in sync while the other is at work')
      looks++
      if (now.every((n) => n.works && n.rate && n.left && n.all !== undefined && n.all === now[0].all) && now[0].files.some((f) => now[1].files.includes(f))) agreed++
      return done.every(Boolean)
    })
    await end()
    assert.ok(agreed > 0, `of ${looks} looks none had both at work, with a file, bytes of as many bytes, a speed and a time`)
    assert.deepEqual(tree(photosOf(b)), tree(photosOf(a)))
  })

  step('step 19: a saved document is there with its content and time, and nobody is bothered', async (t) => {
    await ben.press('link', 'Files', pageB.getByRole('navigation', { name: 'Parts of this folder' }))
    const [from, to] = [a, b].map((d) => path.join(photosOf(d), 'Letter.txt'))
    fs.writeFileSync(path.join(house.root, 'letter'), 'Dear Ben')
    fs.utimesSync(path.join(house.root, 'letter'), 1_700_000_000, 1_700_000_000.25)
    const began = Date.now()
    fs.renameSync(path.join(house.root, 'letter'), from)
    await until('it arrives', () => fs.existsSync(to))
    t.diagnostic(`there after ${Date.now() - began} ms`)
    assert.equal(fs.readFileSync(to, 'utf8'), 'Dear Ben')
    assert.equal(fs.statSync(to).mtimeMs, fs.statSync(from).mtimeMs)
    await ben.open('Files', /Letter\.txt.*in sync/)
    await ben.reads('It is the same on every device that shares the folder.')
    assert.equal(await pageB.locator('.toast').count(), 0)
  })

  step('step 20: a renamed directory is renamed there, and nothing is sent', async (t) => {
    await until('all is told', async () => (await a.status()).folders[0].in_sync)
    const before = await sent()
    const bytes = tree(path.join(photosOf(a), 'Lisbon'))
    const began = Date.now()
    fs.renameSync(path.join(photosOf(a), 'Lisbon'), path.join(photosOf(a), 'Lisboa'))
    const there = path.join(photosOf(b), 'Lisboa')
    await until('it is renamed there', () => fs.existsSync(there) && fs.readdirSync(there).length === films && !fs.existsSync(path.join(photosOf(b), 'Lisbon')))
    const cost = (await sent()) - before
    t.diagnostic(`there after ${Date.now() - began} ms, for ${cost} bytes`)
    assert.deepEqual(tree(there), bytes)
    assert.ok(cost < 1_000_000, `${cost} bytes were sent for ${films * film}`)
    await anna.press('link', 'Files', pageA.getByRole('navigation', { name: 'Parts of this folder' }))
    await anna.open('Files', /Lisboa/)
    await anna.reads(`${films} names`)
  })

  step('step 22: many deletions are held, and put back where they were', async (t) => {
    const had = tree(photosOf(a))
    const began = Date.now()
    // All at once, as by a mistake in a file manager.
    fs.renameSync(path.join(photosOf(b), '2025'), path.join(house.root, 'gone'))
    const held = async (d) => (await d.status()).folders.some((f) => f.held > 0)
    await until('one of them holds it', async () => (await held(a)) || (await held(b)))
    t.diagnostic(`held ${Date.now() - began} ms after they were deleted`)
    const asked = (await held(a)) ? anna : ben
    await asked.press('link', /^Needs you/, side(asked))
    await asked.reads(new RegExp(`${photos} of ${Object.keys(had).length} files`))
    assert.deepEqual(tree(photosOf(a)), had, 'something was deleted first')
    await fair(asked.page, 'deletions are held')
    await asked.press('link', 'Look at them')
    await fair(asked.page, 'held deletions')
    await asked.press('button', /^(Put|Get) them back/)
    await until('they are back', () => fs.existsSync(path.join(photosOf(b), '2025')) && fs.readdirSync(path.join(photosOf(b), '2025')).length === photos)
    await both((_, d) => until('nothing is held', async () => (await d.status()).folders.every((f) => f.held === 0 && f.in_sync)))
    assert.deepEqual(tree(photosOf(a)), had)
    assert.deepEqual(tree(photosOf(b)), had)
  })

  step('step 12: a place that holds files already is compared before anything changes', async () => {
    const [from, to] = [path.join(a.root, 'Holiday'), path.join(b.root, 'Old holiday')]
    for (let i = 0; i < 60; i++) write(from, `IMG_${i}.jpg`, `holiday ${i}`)
    for (let i = 0; i < 50; i++) write(to, `IMG_${i}.jpg`, i < 38 ? `holiday ${i}` : `another holiday ${i}`)
    for (let i = 0; i < 7; i++) write(to, `Own_${i}.jpg`, `own ${i}`)
    const had = tree(to)
    await anna.press('link', 'Share a folder', side(anna))
    await anna.write('Where the folder is on this computer', from)
    await anna.write('Name on the other devices, if you like', 'Holiday')
    await anna.tick("Ben's laptop")
    await anna.press('button', 'Share a folder')
    await anna.find('heading', 'Holiday').waitFor()
    await ben.press('link', /^Needs you/, side(ben))
    await ben.press('link', 'Choose a place')
    await ben.reads('60 files,')
    await ben.write('Where to put it on this computer', to)
    for (const line of ['This folder already holds 57 files', '38 are the same on both', /10 come from .*Anna's laptop/, '7 are only here and go to', '12 differ']) await ben.reads(line)
    // One person takes what Anna has, the other keeps what is here.
    const [name, wins, loses, place, none] = kind === 'mouse'
      ? [/^Take theirs, from .*Anna's laptop/, 'holiday', 'another holiday', to, from]
      : ['Keep mine, from this computer', 'another holiday', 'holiday', from, to]
    await ben.choose(name)
    await ben.reads('Of a file that changes before it is synced, both versions are kept.')
    await fair(pageB, 'offer with a preview')
    assert.deepEqual(tree(to), had, 'something changed before it was accepted')
    await ben.press('button', 'Accept')
    await ben.find('heading', 'Holiday').waitFor()
    // 38 and 7 that were alike or alone, 10 that came, and of 12 the one version.
    const want = Object.fromEntries([...Array(60).keys()].map((i) => [`IMG_${i}.jpg`, `${i >= 38 && i < 50 ? wins : 'holiday'} ${i}`]))
    for (let i = 0; i < 7; i++) want[`Own_${i}.jpg`] = `own ${i}`
    const held = (dir) => Object.fromEntries(Object.keys(tree(dir)).map((name) => [name, fs.readFileSync(path.join(dir, name), 'utf8')]))
    await both((_, d) => until('all is there', () => isDeepStrictEqual(held(d === a ? from : to), want)))
    // The other version of each is an earlier one, where it stood.
    const earlier = path.join(place, '.stversions')
    assert.deepEqual(fs.readdirSync(earlier).map((f) => fs.readFileSync(path.join(earlier, f), 'utf8')).toSorted(), [...Array(12).keys()].map((i) => `${loses} ${38 + i}`).toSorted())
    assert.ok(!fs.existsSync(path.join(none, '.stversions')), 'something was replaced on the other one as well')
  })

  step('step 9, in the end: the phone is connected, and nothing was asked again', async () => {
    await until('the phone is connected', () => phone.isConnected(a.id))
    await until('so is this computer', async () => (await a.status()).devices.some((d) => d.id === phone.id && d.connected))
    assert.deepEqual((await a.status()).pairing.requests, [])
    assert.doesNotMatch(await pageA.locator('main').innerText(), /wants to connect/)
  })

  step('in all of this nothing left the network, and no page reported a fault', async () => {
    assert.equal(await past(), 0, 'packets that left this network')
    await leave()
    assert.ok((await past()) > 0, 'a packet that leaves this network is not counted')
    assert.deepEqual([...pageA.faults, ...pageB.faults], [])
  })
}
