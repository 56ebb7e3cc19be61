import { type FileHandle, mkdir, open, readdir, stat, unlink } from 'node:fs/promises'
import { platform } from 'node:os'
import { CorruptFileError } from '@hotpath/model'
import { replaceFile } from '@hotpath/platform'

/** A file that only grows. Calls of one handle must not overlap. */
export interface AppendFile {
  append(bytes: Uint8Array): Promise<void>
  /** Resolves when every byte appended before is on disk. After a failure the file's state is unknown: never retry. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** A file that is written in place. Calls of one handle must not overlap. */
export interface PageFile {
  /** Beyond the end the file grows. After a power loss any of the sectors of 512 bytes may be there, or not. */
  write(bytes: Uint8Array, offset: number): Promise<void>
  /** As AppendFile.sync. */
  sync(): Promise<void>
  close(): Promise<void>
}

/**
 * Every file call of the store except the mapping and writing of segments. What each call promises after a power loss:
 * bytes are safe after `AppendFile.sync`, names (created, renamed, removed) after `syncDirectory` of their directory.
 * Failures are errors with the `code` of the system call (`ENOENT`, `ENOSPC`, `EIO` …).
 */
export interface FileSystem {
  /** Makes a directory (mode 0700) and its parents; an existing one is fine. */
  makeDirectory(path: string): Promise<void>
  /** Names in a directory, in no order. */
  list(path: string): Promise<string[]>
  /** Length in bytes, or -1 if there is no such file. */
  size(path: string): Promise<number>
  /** Whole contents. @throws CorruptFileError above `maxBytes`, before anything is allocated */
  read(path: string, maxBytes: number): Promise<Uint8Array>
  /** Makes an empty file (mode 0600), replacing what is there. */
  create(path: string): Promise<AppendFile>
  /** Opens a file that is there for writing in place. */
  openInPlace(path: string): Promise<PageFile>
  /** Cuts a file to `length` bytes and syncs it; a file that has that length already is only synced. */
  cut(path: string, length: number): Promise<void>
  /** Replaces `to` atomically. */
  rename(from: string, to: string): Promise<void>
  /** A file that does not exist is fine. */
  remove(path: string): Promise<void>
  syncDirectory(path: string): Promise<void>
}

/** Writes a file so that after a power loss it is there whole or not at all: temporary file, sync, rename, sync of the directory. */
export async function publishFile(fs: FileSystem, directory: string, name: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${directory}/${name}.tmp`
  const file = await fs.create(temporary)
  try {
    await file.append(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  await fs.rename(temporary, `${directory}/${name}`)
  await fs.syncDirectory(directory)
}

/** The real file system. */
export class NodeFileSystem implements FileSystem {
  async makeDirectory(path: string): Promise<void> {
    await mkdir(path, { recursive: true, mode: 0o700 })
  }

  list(path: string): Promise<string[]> {
    return readdir(path)
  }

  async size(path: string): Promise<number> {
    try {
      return (await stat(path)).size
    } catch (error) {
      if (isMissing(error)) return -1
      throw error
    }
  }

  read(path: string, maxBytes: number): Promise<Uint8Array> {
    return withFile(path, 'r', async file => {
      const { size } = await file.stat()
      if (size > maxBytes) throw new CorruptFileError(path, 0, `at most ${maxBytes} bytes`, `${size}`)
      return file.readFile()
    })
  }

  async create(path: string): Promise<AppendFile> {
    return new NodeAppendFile(await open(path, 'w', 0o600))
  }

  async openInPlace(path: string): Promise<PageFile> {
    return new NodePageFile(await open(path, 'r+'))
  }

  cut(path: string, length: number): Promise<void> {
    return withFile(path, 'r+', async file => {
      if ((await file.stat()).size !== length) await file.truncate(length)
      await file.sync()
    })
  }

  rename(from: string, to: string): Promise<void> {
    return replaceFile(from, to)
  }

  async remove(path: string): Promise<void> {
    try {
      await unlink(path)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }

  /** Windows has no such call: the log of the file system keeps the order of its own changes there. */
  async syncDirectory(path: string): Promise<void> {
    if (platform() !== 'win32') await withFile(path, 'r', file => file.sync())
  }
}

/** What handles for writing have in common. */
class NodeFile {
  constructor(protected readonly file: FileHandle) {}

  sync(): Promise<void> {
    return this.file.datasync()
  }

  close(): Promise<void> {
    return this.file.close()
  }
}

class NodeAppendFile extends NodeFile implements AppendFile {
  async append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) at += (await this.file.write(bytes, at, bytes.length - at)).bytesWritten
  }
}

class NodePageFile extends NodeFile implements PageFile {
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      at += (await this.file.write(bytes, at, bytes.length - at, offset + at)).bytesWritten
    }
  }
}

async function withFile<T>(path: string, flags: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, flags)
  try {
    return await use(file)
  } finally {
    await file.close()
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
