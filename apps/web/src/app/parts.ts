import { type BrowserClient, connect } from '@hotpath/client/browser'
import { ListPosition } from '../list/list-position.js'
import { ResultList } from '../search/result-list.js'
import { RowList, rowRequestOf } from '../search/row-list.js'
import { Address } from '../state/address.js'
import { ColumnSettings } from '../state/columns.js'
import { isSameSearch, searchOf, searchUrl } from '../state/page-state.js'
import { MAX_BOOKMARKS, MAX_HISTORY, SearchList } from '../state/saved-searches.js'
import { Switch, ThemeSetting } from '../state/settings.js'
import { Messages } from '../ui/messages.js'
import { HitCommands } from './commands.js'
import { IndexStatus } from './index-status.js'
import { titleOf } from './search-title.js'

/** A search that is looked at for so long was meant. */
const MEANT_MS = 4_000
/** A busy disk changes all the time; a list that is asked for more often than this cannot be read anyway. */
const REFRESH_INTERVAL_MS = 400
/** Narrower windows have no room for details beside the list. */
const NARROW_PX = 760
/** The ranking knows of an open within a second. */
const HEAT_MS = 1_200

/** All that lives as long as the page, wired. */
export class Parts {
  readonly client: BrowserClient = connect()
  readonly address = new Address()
  readonly position = new ListPosition()
  readonly columns = new ColumnSettings()
  readonly theme = new ThemeSetting()
  readonly details = new Switch('details', innerWidth > NARROW_PX)
  readonly bookmarks = new SearchList('bookmarks', MAX_BOOKMARKS)
  readonly history = new SearchList('history', MAX_HISTORY)
  readonly messages = new Messages()
  readonly list: ResultList
  readonly found: RowList
  readonly index: IndexStatus
  readonly commands: HitCommands
  private refreshTimer: ReturnType<typeof setTimeout> | undefined

  constructor() {
    this.list = new ResultList(this.client, placeOf => this.position.follow(row => this.list.hit(row)?.id, placeOf))
    this.found = new RowList(this.client, () => document.visibilityState !== 'hidden')
    this.index = new IndexStatus(
      this.client,
      () => {
        if (!this.list.isFollowing) this.refreshSoon(REFRESH_INTERVAL_MS)
      },
      () => this.found.outdate(),
    )
    this.commands = new HitCommands(
      this.client,
      this.messages,
      () => this.index.features,
      () => this.refreshSoon(HEAT_MS),
    )
  }

  /** Rows of databases stand in the place of the list: they are asked for, or there is no file. */
  get areRowsAll(): boolean {
    const { list, found, address } = this
    const { view } = address.current
    if (view !== 'search') return view === 'rows'
    return list.head !== undefined && list.rows === 0 && found.total > 0
  }

  /** @returns what ends it */
  start(): () => void {
    const { address, list, position, found } = this
    let activations = 0
    let searched = address.current
    let meant: ReturnType<typeof setTimeout> | undefined
    let searchCount = 0
    const search = () => {
      searched = address.current
      document.title = searched.query === '' ? 'hotpath' : `${titleOf(searched)} – hotpath`
      list.search(searchOf(searched))
      clearTimeout(meant)
      meant = setTimeout(() => this.remember(), MEANT_MS)
    }
    const ends = [
      address.subscribe(() => {
        if (!isSameSearch(address.current, searched)) search()
        found.search(rowRequestOf(address.current))
      }),
      list.subscribe(() => {
        if (list.searchCount === searchCount) position.setRows(list.rows)
        else if (list.head !== undefined) {
          searchCount = list.searchCount
          position.begin(list.rows)
        }
      }),
      position.subscribe(() => {
        if (position.activations === activations) return
        activations = position.activations
        found.activate(undefined)
      }),
      this.index.start(),
    ]
    search()
    found.search(rowRequestOf(address.current))
    return () => {
      for (const end of ends) end()
      clearTimeout(meant)
      clearTimeout(this.refreshTimer)
      list.close()
      found.close()
      this.client.close()
    }
  }

  /** The search that is shown goes into the history. */
  remember(): void {
    const state = searchOf(this.address.current)
    const url = searchUrl(state)
    const wasFound = this.list.failure === undefined && (this.list.rows > 0 || this.found.total > 0)
    if (url !== '' && wasFound) this.history.add({ url, title: titleOf(state) })
  }

  private refreshSoon(delayMs: number): void {
    this.refreshTimer ??= setTimeout(() => {
      this.refreshTimer = undefined
      this.list.refresh()
    }, delayMs)
  }
}
