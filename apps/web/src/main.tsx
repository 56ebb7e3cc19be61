import { flushSync } from 'react-dom'
import { createRoot } from 'react-dom/client'
import { App } from './app/app.js'
import { Parts } from './app/parts.js'

const parts = new Parts()
parts.start()
const page = document.getElementById('page')!
// Who types before the page is there types into a box that the document has. Nothing can be typed between the next two steps.
const early = page.querySelector<HTMLInputElement>('#early')?.value ?? ''
flushSync(() => createRoot(page).render(<App parts={parts} />))
if (early !== '') {
  flushSync(() => parts.address.type(parts.address.current.query + early))
  const box = document.activeElement
  if (box instanceof HTMLInputElement) box.setSelectionRange(box.value.length, box.value.length)
}
