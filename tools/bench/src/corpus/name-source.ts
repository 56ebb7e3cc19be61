import { Random } from '@hotpath/testing'

/** Words of which names of software and documents are made, most frequent first. */
const WORDS = (
  'lib config test util core common data file image index main base server client node java python html style module ' +
  'package build source include doc readme manual example script table list view model event handler parser reader ' +
  'writer stream buffer string number object class type value error message network socket http request response ' +
  'session user group role access token secret cache queue worker thread process system kernel driver device usb pci ' +
  'audio video codec font theme icon color gtk qt gnome kde perl ruby rust go scala lua json xml yaml toml sql query ' +
  'search match filter sort merge split patch diff commit branch release version update install setup launch start ' +
  'stop status report invoice letter photo screenshot holiday project draft final backup archive budget contract'
).split(' ')
const SYLLABLES = 'ba co di fu ga he in jo ka lu me no op pi qua ri sa te un vi wo xa yo ze tron gra ster plo'.split(
  ' ',
)
const SEPARATORS = ['-', '-', '-', '_', '_', '.', '', '']

/** Words that occur in any large tree, followed by made-up ones: real names have a long tail. */
const MADE_UP_WORDS = 6_000

/** Names as programs and people give them: few words very often, many words seldom (Zipf's law, exponent about 1). */
export class NameSource {
  private readonly words: string[]

  constructor(private readonly random: Random) {
    const own = new Random(random.seed ^ 0x5bd1e995)
    const made = Array.from({ length: MADE_UP_WORDS }, () =>
      Array.from({ length: 2 + own.below(3) }, () => own.pick(SYLLABLES)).join(''),
    )
    this.words = [...new Set([...WORDS, ...made])]
  }

  word(): string {
    return this.words[this.rank(this.words.length)]!
  }

  /** 0 … count - 1; rank r is about twice as likely as rank 2 r. */
  rank(count: number): number {
    const uniform = (this.random.below(1 << 24) + 0.5) / (1 << 24)
    return Math.min(count - 1, Math.floor((count + 1) ** uniform) - 1)
  }

  /** One to `most` words. */
  stem(most: number): string {
    let stem = this.word()
    for (let left = this.random.below(most); left > 0; left--) stem += this.random.pick(SEPARATORS) + this.word()
    return stem
  }

  version(): string {
    const { random } = this
    return `${random.below(10)}.${random.below(20)}${random.chance(0.5) ? `.${random.below(30)}` : ''}`
  }

  packageName(): string {
    const { random } = this
    return `${random.chance(0.3) ? 'lib' : ''}${this.stem(3)}${random.chance(0.3) ? `-${this.version()}` : ''}`
  }

  /** `IMG_4711.jpg`, `Report Final (2).pdf`. */
  personal(): string {
    const { random } = this
    if (random.chance(0.5))
      return `IMG_${String(random.below(10_000)).padStart(4, '0')}.${random.pick(['jpg', 'JPG', 'heic'])}`
    const words = this.stem(3)
      .split(/[-_.]/)
      .map(word => word.charAt(0).toUpperCase() + word.slice(1))
    const copy = random.chance(0.2) ? ` (${1 + random.below(4)})` : ''
    return `${words.join(' ')}${copy}.${random.pick(['pdf', 'docx', 'xlsx', 'txt', 'odt', 'mp3', 'mp4', 'zip'])}`
  }
}
