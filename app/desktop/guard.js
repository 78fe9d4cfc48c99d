// The web view of Linux ends the whole program when a request to the pages' own
// origin has a Blob, a File or a form for a body (WebKitGTK hands the embedder no
// stream then). Whatever script sends one, of ours or of a library: it is read
// first, and its bytes are sent. What cannot be read first is not sent.
;(() => {
  'use strict'
  const harmless = (body) => body === undefined || body === null || typeof body === 'string' || body instanceof URLSearchParams || body instanceof ArrayBuffer || ArrayBuffer.isView(body)
  const own = window.fetch
  const guarded = async (input, init) => {
    if (input instanceof Request && input.method !== 'GET' && input.method !== 'HEAD') {
      const { url, method, credentials, signal } = input
      const data = await input.clone().arrayBuffer()
      return guarded(url, { method, credentials, signal, headers: input.headers, body: data.byteLength > 0 ? data : undefined, ...init })
    }
    if (init === undefined || harmless(init.body)) return own.call(window, input, init)
    const read = new Response(init.body)
    const headers = new Headers(init.headers)
    const kind = read.headers.get('Content-Type')
    if (kind !== null && !headers.has('Content-Type')) headers.set('Content-Type', kind)
    return own.call(window, input, { ...init, headers, body: await read.arrayBuffer() })
  }
  Object.defineProperty(window, 'fetch', { value: guarded, writable: false, configurable: false })
  const send = XMLHttpRequest.prototype.send
  XMLHttpRequest.prototype.send = function (body) {
    if (!harmless(body)) throw new TypeError('only text and bytes can be sent')
    send.call(this, body)
  }
  Object.defineProperty(Navigator.prototype, 'sendBeacon', { value: () => false, writable: false, configurable: false })
  HTMLFormElement.prototype.submit = () => undefined
  addEventListener('submit', (event) => event.preventDefault(), true)
})()
