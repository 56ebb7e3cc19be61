import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { startBrowser, type TestBrowser } from './testing/browser.js'
import { BrowserPage } from './testing/browser-page.js'
import { FakeBackend, fakeRow, fakeRows, HOSTILE_NAMES, unavailable } from './testing/fake-backend.js'
import { startTestGateway, type TestGateway } from './testing/test-gateway.js'

const ENTRIES = 100_000
const ROW_PX = 28
const executable = inject('chromium')
const rows = executable === '' ? [] : fakeRows(ENTRIES)

/** The page in a real browser, through the real HTTP server with its content policy. */
describe.runIf(executable !== '')('the web page', () => {
  let backend: FakeBackend
  let gateway: TestGateway
  let browser: TestBrowser
  let page: Page
  let seen: BrowserPage

  beforeAll(async () => {
    browser = await startBrowser(executable)
  })
  afterAll(async () => {
    await browser.close()
  })
  beforeEach(async () => {
    backend = new FakeBackend(ENTRIES, rows)
    gateway = await startTestGateway(backend)
    page = await browser.newPage()
    seen = new BrowserPage(page, browser, gateway)
  })
  afterEach(async () => {
    await page.evaluate('localStorage.clear()')
    await page.close()
    await gateway.stop()
    browser.problems.length = 0
    browser.requested.length = 0
  })

  const lastRequest = () => backend.searches.at(-1)?.request
  const column = (name: string) => page.getByRole('columnheader', { name })

  it('signs in, hides the token, shows the list and asks nobody else', async () => {
    await seen.open()
    expect(page.url()).toBe(`${gateway.origin}/`)
    await seen.text('#total', /^100,000 results$/)
    await seen.text('#took', /^0\.12 ms$/)
    await seen.text('#fresh', /^live$/)
    await seen.text('#indexed', /^100,000 indexed$/)
    expect(lastRequest()).toMatchObject({ query: '', match: 'auto', fuzzy: true, sort: 'hot' })
    await page.evaluate('document.fonts.ready')
    expect(browser.problems).toEqual([])
    const outside = browser.requested.filter(
      url => !url.startsWith(`${gateway.origin}/`) && url !== `ws${gateway.origin.slice(4)}/api/live`,
    )
    expect(outside).toEqual([])
    expect(await page.evaluate('document.cookie')).toBe('')
  })

  it('searches as one types and cancels what is out of date', async () => {
    await seen.open()
    const first = backend.searches.length
    let release = () => {}
    backend.gate = new Promise(resolve => {
      release = resolve
    })
    await page.keyboard.type('budget')
    // The list that is shown may also be followed meanwhile.
    const searches = () => backend.searches.slice(first).filter(({ request }) => request.query !== '')
    const isTyped = (query: string) => searches().some(({ request }) => request.query === query)
    await expect.poll(() => ['b', 'bu', 'bud', 'budg', 'budge', 'budget'].filter(isTyped)).toHaveLength(6)
    const others = () => searches().filter(({ request }) => request.query !== 'budget')
    await expect.poll(() => others().every(({ signal }) => signal.aborted)).toBe(true)
    expect(searches().at(-1)?.signal.aborted).toBe(false)
    backend.gate = undefined
    release()
    await seen.text('#total', /^9,99\d results$/)
    expect((await seen.names()).every(name => name.includes('budget'))).toBe(true)
    expect(await page.locator('.row mark').first().textContent()).toBe('budget')
    await seen.url('?q=budget')
  })

  it('loses no letter that is typed before the page is there', async () => {
    let release = () => {}
    const held = new Promise<void>(resolve => {
      release = resolve
    })
    await page.route('**/*.js', async route => {
      await held
      await route.continue()
    })
    const opened = seen.open()
    await page.locator('#early').waitFor()
    await page.locator('#early:focus').waitFor()
    await page.keyboard.type('bud')
    release()
    await opened
    await page.locator('#query').waitFor()
    await page.keyboard.type('get')
    await seen.text('#total', /^9,99\d results$/)
    expect(await page.inputValue('#query')).toBe('budget')
    await seen.url('?q=budget')
  })

  it('keeps few rows in the document and loads more while scrolling', async () => {
    await seen.open()
    expect(await page.locator('.row').count()).toBeLessThan(60)
    await page.locator('#results').evaluate((element, top) => {
      element.scrollTop = top
    }, 50_000 * ROW_PX)
    await page.waitForSelector('#row-50000:not(.loading)')
    expect(await page.locator('.row').count()).toBeLessThan(60)
    await page.keyboard.press('Control+End')
    await page.waitForSelector('#row-99999[aria-selected="true"]:not(.loading)')
    await page.keyboard.press('Control+Home')
    await page.waitForSelector('#row-0[aria-selected="true"]:not(.loading)')
    const widest = Math.max(...backend.searches.map(search => search.request.limit))
    expect(widest).toBeLessThanOrEqual(200)
  })

  it('reaches every row of a list that is taller than a browser can lay out', async () => {
    backend.search = endless(10_000_000)
    await seen.open()
    await seen.text('#total', /^10,000,000 results$/)
    await page.keyboard.press('Control+End')
    await page.waitForSelector('#row-9999999:not(.loading)')
    expect(await seen.activeName()).toBe('entry-9999999')
    await page.keyboard.press('ArrowUp')
    await expect.poll(() => seen.activeName()).toBe('entry-9999998')
    await page.locator('#results').hover()
    const firstRow = async () => Number((await page.locator('.row').first().getAttribute('id'))?.slice(4))
    const before = await firstRow()
    await page.mouse.wheel(0, -10 * ROW_PX)
    // Ten rows, not ten rows times what the scroll bar stands for.
    await expect.poll(firstRow).toBe(before - 10)
    await page.locator('#results').evaluate(element => {
      element.scrollTop = 0
    })
    await page.waitForSelector('#row-0:not(.loading)')
  })

  it('sorts by a click on a head, again to turn round, and goes back step by step', async () => {
    await seen.open('?q=report')
    expect(await column('Name').getAttribute('aria-sort')).toBe('none')
    await page.click('#sort-size')
    await seen.url('?q=report&sort=size-desc')
    expect(await column('Size').getAttribute('aria-sort')).toBe('descending')
    await page.click('#sort-size')
    await seen.url('?q=report&sort=size')
    await expect.poll(lastRequest).toMatchObject({ query: 'report', sort: 'size', descending: false })
    await page.reload()
    await seen.text('#total', /results$/)
    expect(await page.inputValue('#query')).toBe('report')
    expect(await column('Size').getAttribute('aria-sort')).toBe('ascending')
    await page.click('#sort-size')
    await seen.url('?q=report')
    await expect.poll(lastRequest).toMatchObject({ sort: 'hot', descending: false })
    await page.goBack()
    await seen.url('?q=report&sort=size')
    await expect.poll(lastRequest).toMatchObject({ sort: 'size', descending: false })
    await page.goForward()
    await seen.url('?q=report')
  })

  it('finds a file with the keyboard alone', async () => {
    await seen.open('?q=photo')
    const first = await seen.activeName()
    await page.keyboard.press('ArrowDown')
    const second = await seen.activeName()
    expect(second).not.toBe(first)
    expect(await page.getAttribute('#query', 'aria-activedescendant')).toBe('row-1')
    expect(await page.getAttribute('#row-1', 'aria-rowindex')).toBe('3')
    await page.keyboard.press('Enter')
    await seen.text('#toast', /^Path copied$/)
    expect(await page.evaluate('navigator.clipboard.readText()')).toMatch(new RegExp(`/${second}$`))
    await expect.poll(() => backend.opens).toHaveLength(1)
    // One walks through the list: then its ends are meant, and those of the text after a letter.
    await page.keyboard.press('End')
    await expect.poll(() => page.getAttribute('#query', 'aria-activedescendant')).toBe('row-9998')
    await page.keyboard.press('Home')
    await expect.poll(() => seen.activeName()).toBe(first)
    await page.keyboard.press('PageDown')
    await expect.poll(() => page.getAttribute('#query', 'aria-activedescendant')).not.toBe('row-0')
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('Home')
    await page.keyboard.type('x')
    expect(await page.inputValue('#query')).toBe('xphoto')
    await page.keyboard.press('Escape')
    await seen.text('#total', /^100,000 results$/)
    expect(await page.inputValue('#query')).toBe('')
    await page.keyboard.press('Escape')
    await page.keyboard.press('/')
    await page.keyboard.type('budget')
    expect(await page.inputValue('#query')).toBe('budget')
    await page.keyboard.press('Control+c')
    await seen.text('#toast', /^Path copied$/)
  })

  it('goes into a folder that cannot be opened on the machine', async () => {
    await seen.open('?q=invoice-000033')
    await seen.text('.facts', /Folder/)
    await page.keyboard.press('Enter')
    await seen.url('?under=/home/ann/Music/invoice-000033.md')
    await expect.poll(() => Buffer.from(lastRequest()?.under ?? []).toString()).toMatch(/invoice-000033/)
  })

  it('narrows by filters, which are parts of the query', async () => {
    await seen.open('?q=report')
    await page.getByRole('button', { name: 'Audio' }).click()
    await page.getByRole('button', { name: 'Video' }).click()
    await seen.url('?q=report&type=audio,video')
    await expect.poll(() => lastRequest()?.query).toBe('audio:|video: report')
    await page.getByLabel('Modified', { exact: true }).selectOption('week')
    await expect.poll(() => lastRequest()?.query).toBe('audio:|video: dm:last7days report')
    await page.reload()
    expect(await page.getByRole('button', { name: 'Audio' }).getAttribute('aria-pressed')).toBe('true')
    await page.getByRole('button', { name: 'Clear filters' }).click()
    await expect.poll(() => lastRequest()?.query).toBe('report')
  })

  it('gives columns other widths, hides and shows them, and keeps that', async () => {
    await seen.open()
    const width = async (name: string) => (await column(name).boundingBox())!.width
    const before = await width('Folder')
    const edge = (await column('Folder').locator('.edge').boundingBox())!
    await page.mouse.move(edge.x + 5, edge.y + 10)
    await page.mouse.down()
    await page.mouse.move(edge.x - 75, edge.y + 10)
    await page.mouse.up()
    expect(Math.round((await width('Folder')) - before)).toBe(-80)
    await column('Size').locator('.edge').focus()
    const size = await width('Size')
    await page.keyboard.press('ArrowRight')
    expect((await width('Size')) - size).toBe(16)
    await page.getByRole('button', { name: 'Columns and order' }).click()
    await page.getByRole('checkbox', { name: 'Created' }).check()
    await page.getByRole('checkbox', { name: 'Type' }).uncheck()
    await page.keyboard.press('Escape')
    await page.reload()
    await seen.text('#total', /results$/)
    expect(Math.round((await width('Folder')) - before)).toBe(-80)
    const heads = await page.getByRole('columnheader').allInnerTexts()
    expect(heads).toEqual(['Name', 'Folder', 'Size', 'Modified', 'Created'])
    // Cells stand below their heads.
    const left = async (selector: string) => (await page.locator(selector).first().boundingBox())!.x
    expect(await left('.row .cell.modified')).toBe(await left('.head .cell.modified'))
  })

  it('moves columns by dragging their heads, by keyboard and from the menu, shows more of them, and keeps that', async () => {
    await seen.open()
    const heads = () => page.getByRole('columnheader').allInnerTexts()
    const middle = async (name: string) => {
      const box = (await column(name).boundingBox())!
      return [box.x + box.width / 2, box.y + box.height / 2] as const
    }
    const drag = async (from: string, to: string, end: 'up' | 'Escape') => {
      const [x, y] = await middle(to)
      await page.mouse.move(...(await middle(from)))
      await page.mouse.down()
      await page.mouse.move(x - 12, y, { steps: 4 })
      expect(await page.locator('.drop-before, .drop-after').count()).toBe(1)
      if (end === 'Escape') await page.keyboard.press(end)
      await page.mouse.up()
      expect(await page.locator('.drop-before, .drop-after').count()).toBe(0)
    }
    await drag('Size', 'Folder', 'up')
    expect(await heads()).toEqual(['Name', 'Size', 'Folder', 'Type', 'Modified'])
    await drag('Modified', 'Name', 'Escape')
    expect(await heads()).toEqual(['Name', 'Size', 'Folder', 'Type', 'Modified'])
    // A drag sorts nothing; a press does.
    expect(page.url()).toBe(`${gateway.origin}/`)
    await column('Size').getByRole('button').click()
    await seen.url('?sort=size-desc')
    expect(await heads()).toEqual(['Name', 'Size', 'Folder', 'Type', 'Modified'])

    await page.locator('#sort-modified').focus()
    await page.keyboard.press('Shift+ArrowLeft')
    expect(await heads()).toEqual(['Name', 'Size', 'Folder', 'Modified', 'Type'])
    await seen.text('#toast', /^Modified is column 4 of 5$/)
    // The head keeps the focus, so that the next press goes on; at the end it stays where it is.
    for (const _ of [1, 2, 3, 4]) await page.keyboard.press('Shift+ArrowLeft')
    expect(await heads()).toEqual(['Modified', 'Name', 'Size', 'Folder', 'Type'])
    expect(await page.evaluate('document.activeElement.id')).toBe('sort-modified')

    await page.getByRole('button', { name: 'Columns and order' }).click()
    await page.getByRole('checkbox', { name: 'Accessed' }).check()
    await page.getByRole('checkbox', { name: 'Created' }).check()
    expect(await heads()).toEqual(['Modified', 'Created', 'Accessed', 'Name', 'Size', 'Folder', 'Type'])
    await page.getByRole('button', { name: 'Move Name left' }).click()
    await page.getByRole('button', { name: 'Move Created right' }).click()
    await page.keyboard.press('Escape')
    const now = ['Modified', 'Name', 'Created', 'Accessed', 'Size', 'Folder', 'Type']
    await expect.poll(heads).toEqual(now)
    await page.reload()
    await seen.text('#total', /results$/)
    expect(await heads()).toEqual(now)
    // Cells follow their heads, and times that are not known are empty.
    const ids = ['modified', 'name', 'created', 'accessed', 'size', 'path', 'ext']
    const cells = await page.locator('.row').first().getByRole('gridcell').all()
    for (const [at, cell] of cells.entries()) {
      expect(await cell.getAttribute('class')).toContain(`cell ${ids[at]}`)
      expect(await column(now[at]!).getAttribute('aria-colindex')).toBe(String(at + 1))
      expect((await cell.boundingBox())!.x).toBe((await column(now[at]!).boundingBox())!.x)
    }
    const times = async (id: string) =>
      (await page.locator(`.row .cell.${id}`).allInnerTexts()).filter(text => text !== '')
    expect((await times('modified')).length).toBeGreaterThan((await times('accessed')).length)
    expect((await times('accessed'))[0]).toMatch(/^2024-0\d-\d\d \d\d:\d\d$/)
    expect(browser.problems).toEqual([])
  })

  it('shows hostile names as text and nothing else', async () => {
    await seen.open('?q=hostile')
    await seen.text('#total', /^\d+ results$/)
    const shown = await seen.names()
    expect(shown.length).toBeGreaterThan(5)
    expect(shown.some(name => /RLO/.test(name))).toBe(true)
    for (const query of ['pwned', '<', 'hostile', '&', '%3C']) {
      await page.fill('#query', query)
      await seen.text('#total', /results?$/)
    }
    await page.fill('#query', '<img src=x onerror="window.pwned=1">')
    await expect.poll(() => seen.names()).toEqual(['<img src=x onerror="window.pwned=1">.txt'])
    // Only elements that the page itself makes are in the list, and nothing that a name said was run.
    const tags = await page
      .locator('.lines *, #details *')
      .evaluateAll(nodes => [...new Set(nodes.map(node => node.tagName.toUpperCase()))].sort())
    const own = 'ASIDE BDI BUTTON DD DETAILS DIV DL DT H2 H3 HEADER MARK NAV P SPAN SUMMARY SVG USE'.split(' ')
    expect(tags.filter(tag => !own.includes(tag))).toEqual([])
    expect(await page.evaluate('"pwned" in window')).toBe(false)
    const everything = (await page.locator('body').textContent()) + shown.join('') + (await page.title())
    expect(everything).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200e\u200f]/)
    expect(browser.problems).toEqual([])
    expect(HOSTILE_NAMES.length).toBeGreaterThan(10)
  })

  it('points at the place of an error in the query, also behind filters, and recovers', async () => {
    await seen.open('?type=code')
    await page.keyboard.type('foo (bar')
    await seen.text('#error', /not closed; expected \)/)
    expect(await page.getAttribute('#error .pointer', 'data-position')).toBe('4')
    expect(await page.getAttribute('#query', 'aria-invalid')).toBe('true')
    // The caret stands below the letter in the box.
    const caret = (await page.locator('#error .caret').boundingBox())!
    const box = (await page.locator('#query').boundingBox())!
    const textPx = await page.evaluate(`(() => {
      const text = document.body.appendChild(document.createElement('span'))
      text.style.cssText = 'position: absolute; white-space: pre; font: ' + getComputedStyle(document.getElementById('query')).font
      text.textContent = 'foo '
      return text.getBoundingClientRect().width
    })()`)
    expect(Math.abs(caret.x - box.x - Number(textPx))).toBeLessThan(4)
    await page.fill('#query', 'readme')
    await page.locator('#error').waitFor({ state: 'hidden' })
    expect(await page.getAttribute('#query', 'aria-invalid')).toBeNull()
  })

  it('tells all of a hit, why it is there, and searches below the folders on its way', async () => {
    await seen.open('?q=budget')
    await seen.text('#details h3', /^budget-/)
    await seen.text('.facts', /Size.*bytes.*Modified.*Heat/s)
    await page.click('.why summary')
    await seen.text('.rank', /Best placeat the start of the name/)
    const explained = backend.searches.filter(({ request }) => request.explain)
    expect(explained.map(({ request }) => [request.query, request.offset, request.limit])).toEqual([['budget', 0, 1]])
    await page.locator('.trail button', { hasText: 'ann' }).click()
    await seen.url('?under=/home/ann')
    await expect.poll(() => Buffer.from(lastRequest()?.under ?? []).toString()).toBe('/home/ann')
    await page.click('#under')
    await expect.poll(() => lastRequest()?.under).toBeUndefined()
    await page.keyboard.press('Alt+i')
    await page.locator('#details').waitFor({ state: 'detached' })
  })

  it('keeps bookmarks and a history in the browser, and forgets them', async () => {
    await seen.open('?q=budget')
    await page.click('#bookmark')
    expect(await page.getAttribute('#bookmark', 'aria-pressed')).toBe('true')
    await page.keyboard.press('/')
    await page.keyboard.type('photo')
    await seen.text('#total', /^9,99\d results$/)
    await page.keyboard.press('Enter')
    await seen.text('#toast', /copied/)
    await page.reload()
    await page.getByRole('button', { name: 'Bookmarks' }).click()
    await page.keyboard.press('Enter')
    await seen.url('?q=budget')
    await page.getByRole('button', { name: 'History' }).click()
    await seen.text('.saved', /photo/)
    await page.getByRole('button', { name: 'Clear history' }).click()
    await seen.text('.panel', /Nothing yet/)
    await page.keyboard.press('Escape')
    await page.click('#bookmark')
    expect(await page.evaluate('localStorage.getItem("hotpath.bookmarks")')).toBe('[]')
  })

  it('follows changes of the index and keeps its place', async () => {
    await seen.open('?q=zzz-new')
    await page.waitForSelector('#empty')
    await expect.poll(() => gateway.live.stats().queries).toBe(1)
    backend.rows = [...backend.rows, fakeRow('/home/ann', Buffer.from('zzz-new.txt'), ENTRIES)]
    backend.clockValue++
    backend.emit({ type: 'changed', root: 'tree-1', clock: '2' })
    await seen.text('#total', /^1 result$/)
    expect(await seen.names()).toEqual(['zzz-new.txt'])
    backend.rows = backend.rows.slice(0, -1)
    backend.clockValue++
    backend.emit({ type: 'resync', reason: 'test' })
    await seen.text('#total', /^0 results$/)
  })

  it('does not move what is looked at when rows come above it', async () => {
    await seen.open('?q=budget&sort=name')
    await page.locator('#results').evaluate((element, top) => {
      element.scrollTop = top
    }, 40 * ROW_PX)
    await page.waitForSelector('#row-45:not(.loading)')
    await page.click('#row-45')
    const name = (await seen.activeName())!
    const topOf = async () => (await page.locator('.row[aria-selected="true"]').boundingBox())!.y
    const before = await topOf()
    await expect.poll(() => gateway.live.stats().queries).toBe(1)
    backend.rows = [...backend.rows, fakeRow('/home/ann', Buffer.from('a-budget.txt'), ENTRIES)]
    backend.clockValue++
    backend.emit({ type: 'changed', root: 'tree-1', clock: '2' })
    await page.waitForSelector('#row-46[aria-selected="true"]')
    expect(await seen.activeName()).toBe(name)
    expect(await topOf()).toBe(before)
  })

  it('shows the progress of a scan', async () => {
    await seen.open()
    backend.scan = { entries: 25_000, entriesPerSecond: 5_000, current: '/home/ann/src', expectedEntries: 100_000 }
    backend.emit({ type: 'status' })
    await seen.text('#scan-text', /^Indexing: 25,000 of 100,000 entries · 5,000\/s · 15 s left$/)
    await seen.text('#fresh', /^catching up$/)
    expect(await page.locator('#partial').isVisible()).toBe(true)
    backend.scan = undefined
    backend.emit({ type: 'status' })
    await page.locator('#scan').waitFor({ state: 'detached' })
    await seen.text('#fresh', /^live$/)
  })

  it('says when the store is away and comes back by itself', async () => {
    await seen.open('?q=main')
    backend.failure = unavailable
    backend.emit({ type: 'resync', reason: 'test' })
    await seen.text('#fresh', /^no connection$/)
    await page.keyboard.type('-')
    backend.failure = undefined
    backend.emit({ type: 'resync', reason: 'back' })
    await seen.text('#fresh', /^live$/)
    await seen.text('#total', /^9,99\d results$/)
    await page.locator('#error').waitFor({ state: 'hidden' })
  })

  it('explains itself, and its examples can be tried', async () => {
    await seen.open()
    await page.keyboard.press('F1')
    await page.locator('#help[open]').waitFor()
    await page.keyboard.press('Escape')
    await page.locator('#help[open]').waitFor({ state: 'hidden' })
    await page.locator('#results').focus()
    await page.keyboard.press('?')
    await page.locator('.examples button', { hasText: '*.pdf' }).click()
    await seen.url('?q=*.pdf')
    expect(await page.inputValue('#query')).toBe('*.pdf')
  })

  it('follows the colours of the system, or those that are chosen', async () => {
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.setViewportSize({ width: 420, height: 700 })
    await seen.open('?q=photo')
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor')
    expect(await ground()).toBe('rgb(21, 22, 26)')
    const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
    expect(overflow).toBeLessThanOrEqual(0)
    await page.click('#theme')
    expect(await ground()).toBe('rgb(255, 255, 255)')
    await page.reload()
    expect(await ground()).toBe('rgb(255, 255, 255)')
    await page.click('#theme')
    expect(await ground()).toBe('rgb(21, 22, 26)')
  })

  it('opens, shows and downloads where the gateway does that', async () => {
    const launched: unknown[] = []
    const headers = { authorization: `Bearer ${gateway.token}` }
    const told = await (await fetch(`${gateway.origin}/api/status`, { headers })).json()
    const status = { ...(told as object), features: { launch: true, download: true } }
    await page.route('**/api/status', route => route.fulfill({ json: status }))
    await page.route('**/api/launch', route => {
      launched.push(route.request().postDataJSON())
      return route.fulfill({ json: { launched: true } })
    })
    await seen.open('?q=budget')
    await page.locator('#open').waitFor()
    const [row] = (await backend.search(lastRequest()!, new AbortController().signal)).rows
    const pathBytes = Buffer.from(row!.path).toString('base64')
    await page.keyboard.press('Enter')
    await seen.text('#toast', /^Opened$/)
    await page.keyboard.press('Control+Enter')
    await seen.text('#toast', /^Shown/)
    expect(launched).toEqual([
      { pathBytes, action: 'open' },
      { pathBytes, action: 'reveal' },
    ])
    expect(await page.getAttribute('#download', 'href')).toBe(
      `${gateway.origin}/api/file?path=${Buffer.from(row!.path).toString()}`,
    )
    await page.route('**/api/launch', route =>
      route.fulfill({ status: 403, json: { error: { code: 'DISABLED', message: 'off' } } }),
    )
    await page.click('#open')
    await seen.text('#toast', /without opening files/)
  })

  it('draws statistics, with the numbers beside them, and goes into folders', async () => {
    await page.route('**/api/statistics', route => route.fulfill({ json: STATISTICS }))
    await page.route(/\/api\/sizes/, route => route.fulfill({ json: SIZES }))
    await page.route('**/api/databases', route => route.fulfill({ json: { databases: [] } }))
    await seen.open()
    await page.keyboard.press('Alt+2')
    await seen.url('?view=statistics')
    await seen.text('#types', /Code.*1,200/s)
    await page.getByRole('button', { name: 'Size', exact: true }).click()
    await seen.text('#types', /Video.*9.31 GB/s)
    for (const figure of ['types', 'sections', 'latency', 'changes', 'sizes']) {
      expect(await page.locator(`#${figure} table tbody tr`).count()).toBeGreaterThan(1)
    }
    // Sections are summed by what they are for, the largest first; the table has each of them.
    await seen.text('#sections', /4.39 KB in 3 sections.*Finding names.*2.44 KB.*Names.*1.95 KB/s)
    await page.locator('#sections summary').click()
    await seen.text(
      '#sections table',
      /Names \(files\).*names.*fNAM.*Postings of grams \(files\).*fPST.*1.46 KB.*33.3 %/s,
    )
    await seen.text('#latency', /6 searches/)
    expect(await page.locator('#latency .bar').count()).toBe(3)
    await seen.text('#roots', /\/home\/ann.*live.*fanotify/s)
    // Names are text here, too.
    await seen.text('.areas', /<b>big<\/b>/)
    const asked = page.waitForRequest(request =>
      request.url().endsWith('/api/sizes?under=/home/ann/%3Cb%3Ebig%3C/b%3E'),
    )
    await page.locator('button.area').first().click()
    await asked
    await seen.url('?view=statistics&sizes=/home/ann/%3Cb%3Ebig%3C/b%3E')
    await page.getByRole('button', { name: 'Search here' }).click()
    await seen.url('?under=/home/ann/%3Cb%3Ebig%3C/b%3E')
    await page.goBack()
    await page.goBack()
    await seen.url('?view=statistics')
    expect(browser.problems).toEqual([])
  })

  it('says that a gateway has no statistics', async () => {
    const missing = { status: 404, json: { error: { code: 'NOT_FOUND', message: 'there is nothing at this address' } } }
    await page.route(/\/api\/(statistics|sizes)/, route => route.fulfill(missing))
    await seen.open('?view=statistics')
    await seen.text('#types', /does not offer statistics/)
    await seen.text('#sizes', /does not offer sizes/)
  })

  it('shows lines in every frame while ten million are scrolled', async () => {
    backend.search = endless(10_000_000)
    await seen.open()
    await page.waitForSelector('.row:not(.loading)')
    const frames = process.env.SOAK === '1' ? 600 : 40
    for (const how of ['wheel', 'bar']) {
      const { empty, times } = await page.evaluate<{ empty: number; times: number[] }>(scrolling(how, frames))
      expect(empty).toBe(0)
      const at = (share: number) => times.toSorted((a, b) => a - b)[Math.floor(times.length * share)]?.toFixed(1)
      if (process.env.SOAK === '1') console.info(`${how}: frames of p50 ${at(0.5)}, p99 ${at(0.99)} ms`)
    }
  })
})

/** Scrolls in each of some frames; for the browser. Gives the times between them, and in how many the middle of the list was empty. */
const scrolling = (how: string, frames: number) => `(async () => {
  const list = document.getElementById('results')
  const box = list.getBoundingClientRect()
  const times = []
  let empty = 0
  let last = performance.now()
  for (let frame = 0; frame < ${frames}; frame++) {
    const now = await new Promise(requestAnimationFrame)
    times.push(now - last)
    last = now
    if (${how === 'bar'}) list.scrollTop = (list.scrollHeight * frame) / ${frames}
    else list.dispatchEvent(new WheelEvent('wheel', { deltaY: 60, bubbles: true, cancelable: true }))
    const middle = document.elementFromPoint(box.left + 100, box.top + box.height / 2)
    if (!middle?.closest('.row')) empty++
  }
  return { empty, times }
})()`

const STATISTICS = {
  clock: '1',
  types: [
    { type: 'code', count: 1_200, size: 1_000 },
    { type: 'video', count: 3, size: 10_000_000_000 },
  ],
  sections: [
    { section: 'fNAM', name: 'names (files)', group: 'names', bytes: 2_000 },
    { section: 'fPST', name: 'postings of grams (files)', group: 'finding names', bytes: 1_500 },
    { section: 'fGRK', name: 'grams (files)', group: 'finding names', bytes: 1_000 },
  ],
  segments: [{ root: 'tree-1', entries: 1_203, bytes: 3_000 }],
  latency: { boundsMs: [1, 10], counts: [3, 2, 1] },
  changesPerMinute: Array.from({ length: 60 }, (_, minute) => minute),
}
const SIZES = {
  path: '',
  count: 10,
  size: 1_000,
  children: [
    { path: '/home/ann/<b>big</b>', name: '<b>big</b>', type: 'directory', count: 8, size: 900 },
    { path: '/home/ann/small', name: 'small', type: 'file', count: 1, size: 60 },
  ],
  rest: { count: 1, size: 40 },
}

/** An index with so many rows, `entry-N`. */
function endless(total: number): FakeBackend['search'] {
  return async ({ offset, limit }) => ({
    total,
    fuzzyTotal: undefined,
    exactRows: limit,
    clock: '1',
    fresh: { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] },
    partial: false,
    engineMs: 0.5,
    rows: Array.from({ length: Math.max(0, Math.min(limit, total - offset)) }, (_, at) =>
      fakeRow('/big', Buffer.from(`entry-${offset + at}`), offset + at),
    ),
    explanation: undefined,
  })
}
