import { describe, expect, it } from 'vitest'
import de from '../../../../app/text/de.json'
import en from '../../../../app/text/en.json'
import { bare } from './names'
import { preferred, speech, t, word, wordWhy, wrong } from './text.svelte'

/** The parameters of a sentence; those in brackets may be lacking. */
function marks(sentence: string): string[] {
  return [...new Set([...sentence.matchAll(/\{(\w+)/g)].map((m) => m[1] ?? ''))].toSorted()
}

const sources = import.meta.glob(['/src/**/*.svelte', '/src/**/*.ts', '!/src/**/*.test.ts'], { query: '?raw', import: 'default', eager: true })

describe('the sentences of the pages', () => {
  it('are there in both languages, with the same values', () => {
    expect(Object.keys(de.window)).toEqual(Object.keys(en.window))
    for (const [key, sentence] of Object.entries(en.window)) {
      expect({ key, marks: marks(de.window[key as keyof typeof de.window]) }).toEqual({ key, marks: marks(sentence) })
    }
  })
  it('are all used', () => {
    const text = Object.values(sources).join('\n')
    const made = /^(page|folder\.tab|file|connect\.tab|kind|local|theme|why|pair\.state|reach|device\.paired|activity|offer\.differ|offer\.keep)\./
    const unused = Object.keys(en.window).filter((key) => !made.test(key) && !text.includes(`'${key}'`))
    expect(unused).toEqual([])
  })
  it('have what they need', () => {
    expect(bare(t('state.sending', { device: 'desk' }))).toBe('Sending to desk')
    expect(bare(t('needs.in', { folder: 'Photos', what: '\u2068x\u2069 waits' }))).toBe('Photos: x waits')
  })
  it('follow the first language that there is', () => {
    expect([preferred(['fr', 'de-AT', 'en']), preferred(['fr']), preferred(['en-US'])]).toEqual(['de', 'en', 'en'])
  })
})

describe('conditions', () => {
  it('are worded with their title, text and buttons', () => {
    const w = word({ code: 'disk-full', text: 'no space', param: { folder: 'Photos', path: '/p', need: '1500000', free: '10' } })
    expect(bare(w.text)).toBe('1.5 MB more is needed for Photos, 10 bytes is free. Sending goes on. Nothing is lost, and nothing is deleted because of this.')
    expect(w.buttons.length).toBeGreaterThan(0)
  })
  it('keep what the engine says where a value is lacking or the code is not known', () => {
    expect(word({ code: 'folder-missing', text: 'the folder /p is not there' }).title).toBe('the folder /p is not there')
    expect(word({ code: 'nobody-knows', text: 'odd' })).toEqual({ title: 'odd', text: '', buttons: [] })
  })
  it('name no command line in the pages', () => {
    for (const answer of Object.keys(en.answers)) {
      const w = wordWhy({ code: '', answer, text: '', param: { id: 'x', folder: 'f', devices: 'd', device: 'd', n: '1', size: '1', rules: 'r', line: '1', rule: 'r' } })
      expect(`${w.title}${w.text}`).not.toContain('lanyard ')
    }
  })
})

const refused = (code: string, said: string, param: Record<string, string> = {}): unknown => Object.assign(new Error(said), { code, param })

describe('a refusal', () => {
  it('is told in the language of the pages, with what it is about', () => {
    speech.choose('de')
    expect(bare(wrong(refused('place-relative', '"x" is not an absolute path', { item: 'x' })))).toBe('x ist kein ganzer Pfad. Er beginnt ganz oben, etwa /home/anna/Bilder.')
    expect(bare(wrong(refused('folder-missing', 'gone', { path: '/p', folder: 'Fotos' })))).not.toContain('gone')
    expect(bare(wrong(refused('', 'odd')))).toBe('Das ging nicht: odd')
    expect(bare(wrong(refused('nobody-knows', 'odd')))).toBe('Das ging nicht: odd')
    expect(bare(wrong(new TypeError('odd')))).toBe('Das ging nicht: odd')
    expect(wrong(new Error('Schon in Worten.'))).toBe('Schon in Worten.')
    speech.choose('')
  })
  it('has the same values in both languages', () => {
    expect(Object.keys(de.refusals)).toEqual(Object.keys(en.refusals))
    for (const [code, sentence] of Object.entries(en.refusals)) expect({ code, marks: marks((de.refusals as Record<string, string>)[code] ?? '') }).toEqual({ code, marks: marks(sentence) })
  })
})
