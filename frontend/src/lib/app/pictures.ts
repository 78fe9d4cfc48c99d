/**
 * Finds QR codes in pictures. It is done here, where pictures come in by a
 * dialog, by dropping or by pasting: none of them leaves the page.
 */

/** Larger files are no pictures of a code. */
const largest = 64_000_000
/** The longer side in dots at which a picture is tried, one after the other. */
const sides = [1200, 2400, 600]

/** Gives the text of the code in a picture; undefined where there is none that can be read. */
export async function textOf(picture: Blob): Promise<string | undefined> {
  if (picture.size > largest) return undefined
  let bitmap: ImageBitmap
  try {
    bitmap = await createImageBitmap(picture)
  } catch {
    return undefined // no picture, or one that this system does not know
  }
  try {
    let tried = 0
    for (const side of sides) {
      const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height))
      if (scale === tried) continue
      tried = scale
      const text = await look(bitmap, bitmap.width * scale, bitmap.height * scale)
      if (text !== undefined) return text
    }
    return undefined
  } finally {
    bitmap.close()
  }
}

/** Gives the text of a code that a camera sees now. */
export async function textSeen(video: HTMLVideoElement): Promise<string | undefined> {
  return video.videoWidth === 0 ? undefined : look(video, video.videoWidth, video.videoHeight)
}

async function look(source: CanvasImageSource, width: number, height: number): Promise<string | undefined> {
  const { decodeQR } = await import('qr/decode.js')
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(width))
  canvas.height = Math.max(1, Math.round(height))
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (!context) return undefined
  context.fillStyle = '#fff' // behind what is see-through
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.drawImage(source, 0, 0, canvas.width, canvas.height)
  try {
    return decodeQR(context.getImageData(0, 0, canvas.width, canvas.height))
  } catch {
    return undefined // it holds no code
  }
}
