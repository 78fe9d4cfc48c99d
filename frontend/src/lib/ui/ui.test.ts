import { fireEvent, render, screen } from '@testing-library/svelte'
import { createRawSnippet, tick } from 'svelte'
import { describe, expect, it, vi } from 'vitest'
import hostile from '../../../test/names.json'
import Cord from './Cord.svelte'
import Do from './Do.svelte'
import Name from './Name.svelte'
import Qr from './Qr.svelte'
import VirtualList from './VirtualList.svelte'

const words = (text: string): ReturnType<typeof createRawSnippet> => createRawSnippet(() => ({ render: () => `<span>${text}</span>` }))

describe('a name', () => {
  it.each(hostile.names)('%j is text and nothing else', (name) => {
    const { container } = render(Name, { name })
    expect(container.querySelectorAll('*').length).toBe(1) // the bdi
    const bdi = container.querySelector('bdi')
    expect(bdi?.getAttribute('dir')).toBe('auto')
    expect(bdi?.textContent).not.toMatch(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/u)
    expect(Array.from(new Intl.Segmenter().segment(bdi?.textContent ?? '')).length).toBeLessThanOrEqual(48)
  })
})

describe('a button that does something', () => {
  it('says what was refused, and can be pressed again', async () => {
    const run = vi.fn().mockRejectedValueOnce(new Error('no space')).mockResolvedValue(undefined)
    render(Do, { run, children: words('Put back') })
    await fireEvent.click(screen.getByRole('button'))
    expect((await screen.findByRole('alert')).textContent).toBe('no space')
    await fireEvent.click(screen.getByRole('button'))
    await vi.waitFor(() => expect(screen.queryByRole('alert')).toBeNull())
    expect(run).toHaveBeenCalledTimes(2)
  })
  it('does nothing twice at once', async () => {
    const run = vi.fn().mockReturnValue(new Promise(() => undefined))
    render(Do, { run, children: words('Put back') })
    await fireEvent.click(screen.getByRole('button'))
    await fireEvent.click(screen.getByRole('button'))
    expect(run).toHaveBeenCalledOnce()
  })
})

describe('progress', () => {
  it('is told to those who do not see it', () => {
    render(Cord, { value: 0.714, label: 'Photos', text: '28.4 of 40.1 GB', live: true })
    const bar = screen.getByRole('progressbar', { name: 'Photos' })
    expect([bar.getAttribute('aria-valuenow'), bar.getAttribute('aria-valuetext'), bar.classList.contains('live')]).toEqual(['71', '28.4 of 40.1 GB', true])
  })
  it('has no bead once it is done', () => {
    render(Cord, { value: 1, label: 'Photos', live: true })
    expect(screen.getByRole('progressbar').classList.contains('live')).toBe(false)
  })
})

describe('a code', () => {
  it('is dark on white with four modules around it', () => {
    const { container } = render(Qr, { text: 'LANYARD:ABC', label: 'code' })
    const size = Number(container.querySelector('rect')?.getAttribute('width'))
    expect(container.querySelector('rect')?.getAttribute('fill')).toBe('#fff')
    const xs = [...(container.querySelector('path')?.getAttribute('d') ?? '').matchAll(/M(\d+) (\d+)/g)].map((m) => [Number(m[1]), Number(m[2])])
    expect(Math.min(...xs.flat())).toBe(4)
    expect(Math.max(...xs.flat())).toBe(size - 5)
  })
})

const listed = (): string[] => screen.getAllByRole('option').map((r) => r.textContent ?? '')
const selected = (): string | undefined => screen.getAllByRole('option').find((r) => r.getAttribute('aria-selected') === 'true')?.textContent ?? undefined

describe('a long list', () => {
  const items = Array.from({ length: 100_000 }, (_, i) => `row ${i}`)
  const row = createRawSnippet<[string]>((item) => ({ render: () => `<span>${item()}</span>` }))
  it('puts only the rows in sight into the page, and says how many there are', async () => {
    const chosen = vi.fn()
    render(VirtualList<string>, { items, key: (s: string) => s, row, label: 'rows', chosen })
    const rows = screen.getAllByRole('option')
    expect(rows.length).toBeLessThan(60)
    expect(rows[3]?.getAttribute('aria-setsize')).toBe('100000')
    const list = screen.getByRole('listbox')
    await fireEvent.keyDown(list, { key: 'End' })
    await tick()
    await fireEvent.keyDown(list, { key: 'Enter' })
    expect(chosen).toHaveBeenCalledWith('row 99999')
  })
  it('keeps what is chosen when others come before it', async () => {
    const props = { items: ['b', 'c', 'd'], key: (s: string) => s, row, label: 'rows' }
    const { rerender } = render(VirtualList<string>, props)
    await fireEvent.keyDown(screen.getByRole('listbox'), { key: 'ArrowDown' })
    expect(selected()).toBe('c')
    await rerender({ ...props, items: ['new', 'a', 'b', 'c', 'd'] })
    expect(selected()).toBe('c')
    await fireEvent.keyDown(screen.getByRole('listbox'), { key: 'ArrowDown' })
    expect(selected()).toBe('d')
    await rerender({ ...props, items: ['a', 'b'] })
    expect([listed(), selected()]).toEqual([['a', 'b'], 'b'])
  })
  it('asks for more when its end comes into sight', async () => {
    const near = vi.fn()
    const props = { items: items.slice(0, 1000), key: (s: string) => s, row, label: 'rows', near }
    render(VirtualList<string>, props)
    expect(near).not.toHaveBeenCalled()
    const list = screen.getByRole('listbox')
    Object.defineProperty(list, 'scrollTop', { value: 1000 * 40, writable: true })
    await fireEvent.scroll(list)
    expect(near).toHaveBeenCalled()
  })
  it('of rows with buttons has no row to choose', () => {
    render(VirtualList<string>, { items, key: (s: string) => s, row, label: 'rows', acts: true })
    expect([screen.queryByRole('listbox'), screen.getAllByRole('listitem').length < 60]).toEqual([null, true])
  })
})
