/** `C:`, `C:\`, `\\.\C:`; with either slash. */
const LETTER = /^(?:[\\/]{2}[.?][\\/])?([A-Za-z]:)[\\/]?$/
/** `\\?\Volume{…}`: a volume without a letter. */
const GUID = /^[\\/]{2}[.?][\\/](Volume\{[0-9A-Fa-f-]{36}\})[\\/]?$/

/** Names of a volume of Windows. */
export interface VolumeName {
  /** As it is shown: `C:`. */
  readonly name: string
  /** What is opened: `\\.\C:`. */
  readonly device: string
  /** What GetVolumeInformationW asks for. */
  readonly root: string
}

/** The volume that a text names; undefined: it names none. */
export function volumeNameOf(text: string): VolumeName | undefined {
  const letter = LETTER.exec(text)?.[1]?.toUpperCase()
  if (letter !== undefined) return { name: letter, device: `\\\\.\\${letter}`, root: `${letter}\\` }
  const guid = GUID.exec(text)?.[1]
  if (guid === undefined) return undefined
  return { name: guid, device: `\\\\?\\${guid}`, root: `\\\\?\\${guid}\\` }
}
