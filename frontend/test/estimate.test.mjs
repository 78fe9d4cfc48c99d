// How long a transfer takes: what both pages say of it after a while is compared
// with how long it did take, over a cable whose rate is known. Meanwhile both
// tell the same of it, and neither says that all is done.
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { House, join, until } from './house.mjs'
import { inside, slow } from './inside.mjs'

const long = process.env.LANYARD_LONG === '1'
/** Megabits a second, of which no machine notices the work. */
const cable = 16
const rate = (cable * 1e6) / 8
/** By how much an estimate may be off, of the time that is left. */
const off = 0.2
/** For how many seconds it is read anew each half of a second: the middle one is judged. */
const reading = 5

/** Files of a size each, as many as there are bytes. */
const films = (name, bytes, size) => Array.from({ length: Math.round(bytes / size) }, (_, i) => [`${name}_${10 + i}.mp4`, size])
const pictures = (name, count) => Array.from({ length: count }, (_, i) => [`${name}_${10_000 + i}.jpg`, 5000 + ((i * 7919) % 20_000)])

/** What is sent, and after how many seconds of it the estimates are read. */
const shapes = long
  ? [
      { name: 'twenty films', files: films('MOV', 80 * rate, 8_000_000), at: 30 },
      { name: '2,000 pictures before films', files: [...pictures('A', 2000), ...films('Z', 70 * rate, 20_000_000)], at: 30 },
      { name: '2,000 pictures after films', files: [...films('A', 70 * rate, 20_000_000), ...pictures('Z', 2000)], at: 30 },
      { name: 'one film', files: films('MOV', 80 * rate, 80 * rate), at: 30 },
    ]
  : [{ name: 'ten films', files: films('MOV', 36 * rate, 7_200_000), at: 16 }]

/** What a page of a folder says of the work on it. */
function told() {
  const main = document.querySelector('main .big-p')
  const text = main?.innerText.trim() ?? ''
  const eta = main?.querySelector('.end[title]')
  const [, number, unit] = / ([\d.]+) (seconds?|minutes?|hours?)/.exec(eta?.title ?? '') ?? []
  const seconds = number === undefined ? undefined : Number(number) * (unit.startsWith('s') ? 1 : unit.startsWith('m') ? 60 : 3600)
  const [, amount, of] = /([\d.,]+(?:\s\w+)?) of ([\d.,]+\s\w+)/.exec(text) ?? []
  const files = [...document.querySelectorAll('main .frow .name')].map((e) => e.innerText)
  return { text, seconds, words: eta?.innerText, amount, of, files, works: /^(Sending to|Receiving)/.test(text), sync: text.startsWith('In sync') }
}

/** Bytes of "12.3 MB"; a number alone has the unit of another one. */
function bytesOf(amount, of) {
  const units = { bytes: 1, byte: 1, kB: 1e3, MB: 1e6, GB: 1e9 }
  const [, number, unit] = /^([\d.,]+)\s?(\w+)?$/.exec(amount)
  return Number(number.replaceAll(',', '')) * units[unit ?? / ?(\w+)$/.exec(of)[1]]
}

/** The seconds that words stand for, from and to. */
function spoken(words) {
  if (words === 'under a minute') return [0, 60]
  const [, from, to] = /^(\d+) to (\d+) minutes$/.exec(words) ?? []
  return [Number(from) * 60, Number(to) * 60]
}

const middle = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]

if (inside(import.meta.url, 'how long it takes is told in time')) {
  let house, a, b, pages

  before(async () => {
    house = await House.build()
    ;[a, b] = await Promise.all(['anna', 'ben'].map((name) => house.device(name)))
    await join(a, b, 'films', 'Films')
    pages = await Promise.all([a, b].map((d) => d.open()))
    await Promise.all(pages.map((page) => page.evaluate(() => (location.hash = '#/folder/films'))))
    await until('all is told', async () => (await Promise.all([a, b].map((d) => d.status()))).every((s) => s.folders[0].in_sync && s.devices[0].folders.films?.current))
    await slow((await Promise.all([a, b].map((d) => d.status()))).flatMap((s) => s.listen).map((l) => new URL(l.replace(/^\w+:/, 'http:')).port), cable)
  })
  after(async () => { await house?.raze() })

  for (const [round, { name, files, at }] of shapes.entries()) {
    test(`both pages tell in time how long ${name} take${files.length === 1 ? 's' : ''}`, async (t) => {
      const aside = path.join(a.root, 'aside')
      fs.mkdirSync(aside)
      for (const [file, size] of files) fs.writeFileSync(path.join(aside, file), crypto.randomBytes(size))
      const there = path.join(b.dir, `Round ${round}`)
      const whole = () => fs.existsSync(there) && files.every(([file, size]) => fs.statSync(path.join(there, file), { throwIfNoEntry: false })?.size === size)
      const all = files.reduce((n, [, size]) => n + size, 0)
      const before = (await a.status()).folders[0].global.bytes
      // What there is would reach the receiver bit by bit, behind what it has asked for.
      await b.run('folder', 'pause', 'films')
      await until('the sender knows it', async () => (await a.status()).devices[0].folders.films?.current === false)
      fs.renameSync(aside, path.join(a.dir, `Round ${round}`))
      await until('all is looked at', async () => (await a.status()).folders[0].global.bytes === before + all)
      await b.run('folder', 'resume', 'films')

      const looks = []
      let began, ended
      while (ended === undefined) {
        const now = Date.now()
        const said = await Promise.all(pages.map((page) => page.evaluate(told)))
        if (began === undefined && said.every((s) => s.works)) began = now
        if (began !== undefined) {
          looks.push({ now, said })
          // From here on only who has all of it may say so.
          if (said.some((s) => s.sync)) assert.ok(whole(), `one is in sync while the other is at work: ${JSON.stringify(said)}`)
          if (said[1].sync) ended = now
        }
        assert.ok(now - (began ?? now) < 400_000, `it does not end: ${JSON.stringify(said)}`)
        await new Promise((over) => setTimeout(over, 500))
      }
      await until('the sender knows it', async () => (await pages[0].evaluate(told)).sync)

      const judged = looks.filter((l) => l.now >= began + at * 1000 && l.now < began + (at + reading) * 1000)
      for (const [i, who] of ['the sender', 'the receiver'].entries()) {
        const said = judged.filter((l) => l.said[i].seconds !== undefined)
        assert.ok(said.length > judged.length / 2, `${who} does not know how long it takes: ${JSON.stringify(judged.map((l) => l.said[i].text))}`)
        const wrong = (l) => l.said[i].seconds / ((ended - l.now) / 1000) - 1
        const later = looks.filter((l) => l.now >= began + at * 1000 && ended - l.now >= 10_000 && l.said[i].seconds !== undefined).map(wrong)
        t.diagnostic(`${who}: ${said[0].said[i].seconds} s after ${at} s, when ${Math.round((ended - said[0].now) / 1000)} s were left; off by ${percent(middle(said.map(wrong)))}, from then on by ${percent(Math.min(...later))} to ${percent(Math.max(...later))}`)
        assert.ok(Math.abs(middle(said.map(wrong))) <= off, `${who} is off by ${percent(middle(said.map(wrong)))}`)
        const fit = said.filter((l) => {
          const [from, to] = spoken(l.said[i].words)
          return (ended - l.now) / 1000 >= from * (1 - off) && (ended - l.now) / 1000 <= to * (1 + off)
        })
        assert.ok(fit.length > said.length / 2, `${who} said ${said[0].said[i].words}`)
      }

      const both = looks.filter((l) => l.said.every((s) => s.works && s.amount !== undefined))
      assert.ok(both.length > looks.length * 0.8, `in ${both.length} of ${looks.length} looks both told of work`)
      const known = both.filter((l) => l.now >= began + at * 1000)
      assert.ok(known.filter((l) => l.said[0].of === l.said[1].of).length > known.length * 0.9, 'both are to have as many bytes')
      const apart = known.map((l) => Math.abs(bytesOf(l.said[0].amount, l.said[0].of) - bytesOf(l.said[1].amount, l.said[1].of)))
      t.diagnostic(`what both say is there: ${(middle(apart) / 1e6).toFixed(1)} MB apart in the middle, ${(Math.max(...apart) / 1e6).toFixed(1)} MB at most, of ${(all / 1e6).toFixed(0)} MB`)
      assert.ok(middle(apart) < all / 10, `${middle(apart)} bytes apart`)
      if (!name.includes('pictures')) {
        const named = both.filter((l) => l.said.every((s) => s.files.length > 0))
        const same = named.filter((l) => l.said[0].files.some((f) => l.said[1].files.includes(f)))
        assert.ok(same.length > both.length * 0.8, `in ${same.length} of ${both.length} looks both named the same file`)
      }
    })
  }
}

function percent(part) {
  return `${(100 * part).toFixed(0)} %`
}
