import { byId } from './dom.js'

const SHOWN_MS = 1_800
let timer: number | undefined

/** Copies a path as it is (with every character of it) and says so for a moment. */
export async function copyPath(path: string): Promise<void> {
  const toast = byId('toast', HTMLElement)
  try {
    await navigator.clipboard.writeText(path)
    toast.textContent = 'Path copied'
  } catch {
    toast.textContent = 'The browser does not allow copying'
  }
  toast.dataset.shown = 'true'
  clearTimeout(timer)
  timer = setTimeout(() => {
    toast.dataset.shown = 'false'
    toast.textContent = ''
  }, SHOWN_MS)
}
