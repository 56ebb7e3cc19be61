import { createRoot } from 'react-dom/client'
import { App } from './app/app.js'
import { Parts } from './app/parts.js'

const parts = new Parts()
parts.start()
createRoot(document.getElementById('page')!).render(<App parts={parts} />)
