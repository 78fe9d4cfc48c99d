import { fireEvent, render, screen } from '@testing-library/svelte'
import { tick } from 'svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import App from '../App.svelte'
import { api, type Held, type Snapshot, type Stands } from '../lib/backend/api'
import { handed } from '../lib/app/handed.svelte'
import { says } from '../lib/app/says.svelte'
import { store } from '../lib/app/store.svelte'
import { device, folder } from '../lib/state/made.test-helper'
import { from } from '../lib/text/format'
import { bare } from '../lib/text/names'
import ConflictList from './ConflictList.svelte'
import Device from './Device.svelte'
import Doctor from './Doctor.svelte'
import HeldCard from './HeldCard.svelte'
import Licences from './Licences.svelte'
import Removed from './Removed.svelte'
import Share from './Share.svelte'

const whole = (change: Partial<Snapshot>): Snapshot =>
  ({ folders: [], devices: [], offers: [], problems: [], removed: [], pairing: { nearby: [], runs: [], requests: [] }, ...change }) as unknown as Snapshot

beforeEach(() => vi.useFakeTimers())
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  says.dismiss()
  location.hash = ''
})

const settle = async (): Promise<void> => {
  await vi.advanceTimersByTimeAsync(1000)
  await tick()
}

const shown = (): string => bare(document.body.textContent ?? '').replace(/\s+/g, ' ')

const place = (change: Partial<Stands>): Stands => ({ path: '/home/anna/Pictures', exists: true, files: 12_000, bytes: 40e9, whole: true, refused: null as never, ...change })
const answer = (p: Stands): { look: ReturnType<typeof vi.spyOn>; add: ReturnType<typeof vi.spyOn> } => {
  const look = vi.spyOn(api, 'lookAt').mockResolvedValue(p)
  const add = vi.spyOn(api, 'addFolder').mockResolvedValue({ id: 'f' } as never)
  render(Share, { snapshot: whole({}), device: '' })
  return { look, add }
}
const type = async (path: string): Promise<void> => {
  await fireEvent.input(screen.getByRole('textbox', { name: 'Where the folder is on this computer' }), { target: { value: path } })
}

describe('a folder that is to be shared', () => {
  it.each([
    ['holds files', {}, 'It holds 12,000 files, 40 GB.'],
    ['holds more than can be counted', { files: 90_000, whole: false }, 'It holds more than 90,000 files, 40 GB.'],
    ['is empty', { files: 0, bytes: 0 }, 'It is there, and it is empty.'],
  ])('says that it %s', async (_, change, text) => {
    const { look, add } = answer(place(change))
    await type('/home/anna/Pict')
    await type('/home/anna/Pictures ')
    await settle()
    expect(look.mock.calls).toEqual([['/home/anna/Pictures']])
    expect(shown()).toContain(text)
    await fireEvent.click(screen.getByRole('button', { name: 'Share a folder' }))
    await settle()
    expect(add).toHaveBeenCalledOnce()
  })
  it('is made only once someone has read that there is none', async () => {
    const { add } = answer(place({ path: '/home/anna/Picturse', exists: false, files: 0, bytes: 0 }))
    await type('/home/anna/Picturse')
    // At once, before it was looked.
    await fireEvent.click(screen.getByRole('button', { name: 'Share a folder' }))
    await settle()
    expect(add).not.toHaveBeenCalled()
    expect(shown()).toContain('There is nothing at /home/anna/Picturse yet: a new, empty folder is made.')
    await fireEvent.click(screen.getByRole('button', { name: 'Make a new folder and share it' }))
    await settle()
    expect(add).toHaveBeenCalledOnce()
  })
  it('is not held to what was said of another path', async () => {
    answer(place({ exists: false }))
    await type('/home/anna/Picturse')
    await settle()
    await type('/home/anna/Pictures')
    expect(screen.queryByRole('button', { name: 'Make a new folder and share it' })).toBeNull()
  })
  it('is refused by whoever shares it where it cannot be shared', async () => {
    const { add } = answer(place({ exists: false, refused: { code: 'place-relative', text: '', remedy: '', item: 'Pictures' } }))
    await type('Pictures')
    await settle()
    expect(shown()).toContain('Pictures is not a whole path.')
    await fireEvent.click(screen.getByRole('button', { name: 'Share a folder' }))
    await settle()
    expect(add).toHaveBeenCalledOnce()
  })
  it('is the one in which a file lies that was dropped', async () => {
    handed.path = '/home/anna'
    handed.file = 'plan.txt'
    answer(place({}))
    await settle()
    expect(screen.getByRole<HTMLInputElement>('textbox', { name: 'Where the folder is on this computer' }).value).toBe('/home/anna')
    expect(shown()).toContain('plan.txt is a file, and a file is shared with the folder in which it lies.')
  })
})

describe('a device that was removed here', () => {
  it('is listed, with the way back', async () => {
    const add = vi.spyOn(api, 'addDevice').mockResolvedValue({ id: 'AAAAAAA-BBBBBBB' } as never)
    render(Removed, { snapshot: whole({ removed: [{ id: 'AAAAAAA-BBBBBBB', name: "Ben's laptop", time: '2026-11-03T10:00:00Z' }] }) })
    expect(shown()).toContain("Ben's laptop")
    expect(shown()).toContain('its ID ends with BBBBBBB')
    await fireEvent.click(screen.getByRole('button', { name: 'Let it in again' }))
    await settle()
    expect(add.mock.calls).toEqual([[{ id: 'AAAAAAA-BBBBBBB', name: "Ben's laptop" }]])
    expect(location.hash).toBe('#/device/AAAAAAA-BBBBBBB')
  })
})

describe('the page of a device', () => {
  it('says once that it is connected, and since when', () => {
    const now = new Date('2026-11-22T10:00:00')
    vi.setSystemTime(now)
    store.snapshot = whole({ devices: [device(0, { since: new Date('2026-11-22T09:59:00').toISOString() })] })
    render(Device, { id: 'B' })
    expect(shown().match(/Connected/g)).toEqual(['Connected'])
    expect(shown()).toMatch(/since 0?9:59/)
  })
  it('never tells an instant as a span where something has been so since then', () => {
    const now = new Date(2026, 10, 22, 10)
    const at = (day: number, hour: number): string => from(new Date(2026, 10, day, hour).toISOString(), 'en-GB', now)
    expect([at(22, 9), at(21, 9), at(17, 9), at(3, 9)]).toEqual(['09:00', 'yesterday 09:00', 'Tuesday', '3 November'])
  })
})

describe('deletions that are held', () => {
  it('are listed whole, once somebody opens the list', async () => {
    const rows = ['2025/b.jpg', '2026/c.jpg'].map((path) => ({ path, bytes: 5, device: 'Ben' }))
    const ask = vi.spyOn(api, 'heldFiles').mockResolvedValue({ total: 1917, files: rows })
    const held = { direction: 'incoming', files: 1917, dirs: 0, links: 0, bytes: 5, total: 2005, devices: ['Ben'], names: ['a.jpg'], since: '2026-11-21T14:00:00Z', token: 't' } as unknown as Held
    render(HeldCard, { held, folder: folder() })
    await settle()
    expect(ask).not.toHaveBeenCalled()
    const details = document.querySelector('details')
    if (details) details.open = true
    details?.dispatchEvent(new Event('toggle'))
    await settle()
    expect(ask.mock.calls[0]).toEqual(['f', 'incoming', { find: '', from: 0, most: 100 }])
    expect(shown()).toContain('All 1,917 files')
    expect(shown()).toContain('b.jpg 2025')
    expect(shown()).toContain('deleted by Ben')
    expect(screen.getAllByRole('listitem')[0]?.getAttribute('aria-setsize')).toBe('1917')
  })
})

const finding = (on: string, code: string, param: Record<string, string>): object => ({ on, problem: { code, text: '', severity: 'ask', param } })

describe('what the doctor found', () => {
  it('names what it is about once', async () => {
    vi.spyOn(api, 'doctor').mockResolvedValue({ checks: [{ check: 'folders', text: '', findings: [finding('Thesis', 'two-versions', { file: 'Chapter 3.md', folder: 'Thesis' }), finding('/p/Scans', 'folder-missing', { path: '/p/Scans' })] }] } as never)
    render(Doctor)
    await settle()
    expect(shown()).toContain('Chapter 3.md was changed on two devices (Thesis)')
    expect(shown().match(/\/p\/Scans/g)?.length).toBe(1)
  })
})

describe('the licences', () => {
  it('are read when they are looked at', async () => {
    const ask = vi.spyOn(api, 'licences').mockResolvedValue('== Go')
    render(Licences)
    await settle()
    expect(ask).toHaveBeenCalledOnce()
    expect(screen.getByRole<HTMLTextAreaElement>('textbox', { name: 'Licences' }).value).toBe('== Go')
  })
})

describe('the list of two versions', () => {
  it('shows that its rows open', async () => {
    const one = { device: 'B', name: 'Ben', modified: '2026-11-21T14:00:00Z', bytes: 5, text: '' }
    vi.spyOn(api, 'conflicts').mockResolvedValue({ total: 1, files: [{ folder: 'f', path: 'a', copy: 'b', mine_named: true, token: 't', named: one, beside: one }] } as never)
    render(ConflictList, { folder: 'f', count: 1 })
    await settle()
    expect(document.querySelector('.vrow.press svg')).not.toBeNull()
  })
})

describe('the window on the first start', () => {
  it('is called after the program', async () => {
    vi.spyOn(store, 'follow').mockReturnValue(() => undefined)
    for (const method of ['openPane', 'closePane', 'startup', 'networks', 'openInvitation'] as const) vi.spyOn(api, method).mockResolvedValue(undefined as never)
    location.hash = '#/'
    dispatchEvent(new HashChangeEvent('hashchange'))
    store.snapshot = whole({ name: 'x' } as Partial<Snapshot>)
    const { unmount } = render(App as never)
    await settle()
    const { title } = document
    unmount() // what it holds is let go while the clock is ours
    await settle()
    store.snapshot = undefined
    expect(title).toBe('Lanyard')
  })
})
