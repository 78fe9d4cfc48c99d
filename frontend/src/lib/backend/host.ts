/**
 * What the window can do that a browser cannot. Nothing else touches what Wails
 * puts beside the pages.
 */

/** What someone asked the window to show: it comes from outside, and a person is asked first. */
export interface Opened {
  link?: string
  path?: string
  /** What was dropped, where it lies in the directory at path. */
  file?: string
  page?: string
}

/** The functions of the window's Bridge, in Go. Their errors carry a JSON text. */
interface Bridge {
  Listening(): Promise<Opened[]>
  Painted(): Promise<void>
  Front(front: boolean): Promise<void>
  ChooseDirectory(title: string): Promise<string>
  ShowInFileManager(path: string): Promise<void>
  Quit(): Promise<void>
}

interface Runtime {
  EventsOn(name: string, f: (data: never) => void): () => void
  WindowSetTitle(title: string): void
  Quit(): void
  OnFileDrop?(f: (x: number, y: number, paths: string[]) => void, useDropTarget: boolean): void
}

interface Native {
  runtime: Runtime
  go: { desktop: { Bridge: Bridge } }
}

/** How long in milliseconds the window may take; a person who chooses may take as long as they like. */
const patience = 20_000

function native(): Native | undefined {
  const n = globalThis as unknown as Partial<Native>
  return n.runtime?.EventsOn && n.go?.desktop?.Bridge ? (n as Native) : undefined
}

/** Gives the sentence that an error of the window carries. */
function sentence(e: unknown): string {
  const text = e instanceof Error ? e.message : String(e)
  try {
    const told = JSON.parse(text) as { text?: string }
    return told.text ?? text
  } catch {
    return text
  }
}

async function ask<T>(answer: Promise<T>, within = patience): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, fail) => {
    if (Number.isFinite(within)) timer = setTimeout(() => fail(new Error('the window does not answer')), within)
  })
  try {
    return await Promise.race([answer, late])
  } catch (e) {
    throw Object.assign(new Error(sentence(e), { cause: e }), { code: '' })
  } finally {
    clearTimeout(timer)
  }
}

export interface Host {
  /** Lets the person choose a directory: its path, '' where they did not. */
  chooseFolder(title: string): Promise<string>
  /** Shows a file or directory where it lies. */
  showInFileManager(path: string): Promise<void>
  /** Ends the engine, so that nothing is synced any more, and closes the window. */
  quit(): Promise<void>
  /** Closes the window; syncing goes on. */
  close(): void
  setTitle(title: string): void
  /** Says that the pages have shown what they have to show. */
  painted(): void
  /** Says whether the person has the window before them. */
  front(front: boolean): void
  /** Calls f with what is opened, until the returned function is called. */
  onOpened(f: (opened: Opened) => void): () => void
  /** Calls f with data of an event, until the returned function is called. */
  on<T>(event: string, f: (data: T) => void): () => void
}

function make({ runtime, go }: Native): Host {
  const bridge = go.desktop.Bridge
  return {
    chooseFolder: (title) => ask(bridge.ChooseDirectory(title), Infinity),
    showInFileManager: (path) => ask(bridge.ShowInFileManager(path)),
    quit: () => ask(bridge.Quit()),
    close: () => runtime.Quit(),
    setTitle: (title) => runtime.WindowSetTitle(title),
    painted: () => void bridge.Painted(),
    front: (front) => void bridge.Front(front),
    onOpened(f) {
      const stop = runtime.EventsOn('lanyard-opened', f)
      // Where the system tells the page what is dropped, the window asks for it to be passed on.
      runtime.OnFileDrop?.(() => undefined, false)
      void bridge.Listening().then((opened) => opened.forEach(f))
      return stop
    },
    on: (event, f) => runtime.EventsOn(event, f),
  }
}

const found = native()

/** The window that shows these pages; undefined in a browser. */
export const host: Host | undefined = found && make(found)
