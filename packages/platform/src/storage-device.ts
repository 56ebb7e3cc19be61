import { existsSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** The whole device behind a file or a block device. */
export interface StorageDevice {
  /** Name of the device in /sys/block. */
  readonly name: string
  /** Seeking costs time: a disk that turns, or one of which the system does not know. */
  readonly rotational: boolean
}

/**
 * The device that a file lies on, or that a device file stands for; undefined where there is none (memory, networks) or
 * the system does not say. Source: Linux, Documentation/ABI/stable/sysfs-block (`queue/rotational`). A few calls to sysfs.
 *
 * @param sys where sysfs is mounted
 */
export function storageDeviceOf(path: string, sys = '/sys'): StorageDevice | undefined {
  let stats: Stats
  try {
    stats = statSync(path)
  } catch {
    return undefined
  }
  const device = stats.isBlockDevice() ? stats.rdev : stats.dev
  return deviceOf(join(sys, 'dev/block', `${majorOf(device)}:${minorOf(device)}`))
}

function deviceOf(link: string): StorageDevice | undefined {
  try {
    const directory = realpathSync(link)
    const whole = existsSync(join(directory, 'partition')) ? dirname(directory) : directory
    const rotational = readFileSync(join(whole, 'queue/rotational'), 'latin1').trim() !== '0'
    return { name: basename(whole), rotational }
  } catch {
    return undefined
  }
}

/** The number that the kernel shows, from `st_dev` as the C library packs it. */
function majorOf(device: number): number {
  return Math.floor(device / 2 ** 8) & 0xfff
}

function minorOf(device: number): number {
  return (device & 0xff) + (Math.floor(device / 2 ** 12) & 0xfff00)
}
