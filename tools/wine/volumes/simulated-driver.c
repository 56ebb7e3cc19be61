/*
 * DeviceIoControl for a file system that is not there: Wine has no change journal. Written from Microsoft's pages on the control codes
 * and their structures, for tests only. What it answers with lies in the directory that HOTPATH_SIMULATED_DRIVER names:
 *
 *   settings      lines NAME=NUMBER: id, first, lowest (USN_JOURNAL_DATA), query, read (a code with which these fail; 0: they do not)
 *   records       what the journal holds: USN_RECORD_V2, each at its position
 *   names         what FSCTL_ENUM_USN_DATA gives: USN_RECORD_V2 in the order of their records
 *   volume-data   NTFS_VOLUME_DATA_BUFFER
 *   table         the master file table as NTFS has it in memory, which the volume may be behind of: records of 1,024 bytes as they are
 *                 stored, given with their fix-ups undone
 *
 * Without a file `records` no journal is active, without `table` records are not supported. All other codes go to kernel32.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <winioctl.h>

#define GET_NTFS_FILE_RECORD 0x90068
#define ENUM_USN_DATA 0x900b3
#define READ_USN_JOURNAL 0x900bb
#define QUERY_USN_JOURNAL 0x900f4
#define GET_NTFS_VOLUME_DATA 0x90064
#define RECORD_NUMBER 0xffffffffffffULL
#define RECORD_BYTES 1024
#define SECTOR_BYTES 512

typedef struct {
  DWORDLONG id;
  LONGLONG first, next, lowest, max;
  DWORDLONG maximumSize, allocationDelta;
} JournalData;

typedef struct {
  LONGLONG start;
  DWORD mask, onlyOnClose;
  DWORDLONG timeout, bytesToWaitFor, id;
  WORD minMajor, maxMajor;
} ReadRequest;

typedef struct {
  DWORDLONG start;
  LONGLONG low, high;
  WORD minMajor, maxMajor;
} EnumRequest;

typedef BOOL(WINAPI *Control)(HANDLE, DWORD, LPVOID, DWORD, LPVOID, DWORD, LPDWORD, LPOVERLAPPED);

static BOOL fail(DWORD error) {
  SetLastError(error);
  return FALSE;
}

static FILE *openFile(const char *name) {
  char directory[MAX_PATH], path[MAX_PATH + 32];
  DWORD length = GetEnvironmentVariableA("HOTPATH_SIMULATED_DRIVER", directory, sizeof directory);
  if (length == 0 || length >= sizeof directory) return NULL;
  snprintf(path, sizeof path, "%s\\%s", directory, name);
  return fopen(path, "rb");
}

static char *readAll(const char *name, size_t *length) {
  FILE *file = openFile(name);
  if (file == NULL) return NULL;
  fseek(file, 0, SEEK_END);
  *length = (size_t)ftell(file);
  rewind(file);
  char *bytes = malloc(*length + 1);
  *length = fread(bytes, 1, *length, file);
  bytes[*length] = 0;
  fclose(file);
  return bytes;
}

static LONGLONG setting(const char *name) {
  char line[128];
  LONGLONG found = 0;
  size_t length = strlen(name);
  FILE *file = openFile("settings");
  if (file == NULL) return 0;
  while (fgets(line, sizeof line, file))
    if (strncmp(line, name, length) == 0 && line[length] == '=') found = strtoll(line + length + 1, NULL, 10);
  fclose(file);
  return found;
}

/* Length of the record at a position, 0 if there is none (any more, or yet). */
static DWORD recordAt(const char *bytes, size_t length, size_t at) {
  DWORD found;
  if (at + sizeof found > length) return 0;
  memcpy(&found, bytes + at, sizeof found);
  return found >= 60 && found % 8 == 0 && at + found <= length ? found : 0;
}

static BOOL query(char *out, DWORD outBytes, DWORD *count) {
  size_t length;
  char *records = readAll("records", &length);
  if (setting("query") != 0) return fail((DWORD)setting("query"));
  if (records == NULL) return fail(ERROR_JOURNAL_NOT_ACTIVE);
  free(records);
  if (outBytes < sizeof(JournalData)) return fail(ERROR_INSUFFICIENT_BUFFER);
  JournalData data = {(DWORDLONG)setting("id"), setting("first"), (LONGLONG)length, setting("lowest"),
                      0x7fffffffffff0000LL,     32 << 20,         8 << 20};
  memcpy(out, &data, sizeof data);
  *count = sizeof data;
  return TRUE;
}

static BOOL readJournal(const ReadRequest *request, DWORD inBytes, char *out, DWORD outBytes, DWORD *count) {
  if (inBytes < sizeof *request || outBytes < 8) return fail(ERROR_INVALID_PARAMETER);
  /* Who waits here may never end: nobody is to ask for it. */
  if (request->bytesToWaitFor != 0) return fail(ERROR_NOT_SUPPORTED);
  if (setting("read") != 0) return fail((DWORD)setting("read"));
  size_t length;
  char *records = readAll("records", &length);
  if (records == NULL) return fail(ERROR_JOURNAL_NOT_ACTIVE);
  LONGLONG first = setting("first");
  DWORD error = 0;
  if (request->id != (DWORDLONG)setting("id")) error = ERROR_INVALID_PARAMETER;
  else if (request->start != 0 && request->start < first) error = ERROR_JOURNAL_ENTRY_DELETED;
  else if (request->start > (LONGLONG)length) error = ERROR_INVALID_PARAMETER;
  if (error != 0) {
    free(records);
    return fail(error);
  }
  size_t at = (size_t)(request->start == 0 ? first : request->start);
  DWORD used = 8, size;
  while ((size = recordAt(records, length, at)) != 0) {
    DWORD reasons;
    memcpy(&reasons, records + at + 40, sizeof reasons);
    if ((reasons & request->mask) != 0) {
      if (used + size > outBytes) break;
      memcpy(out + used, records + at, size);
      used += size;
    }
    at += size;
  }
  LONGLONG next = (LONGLONG)at;
  memcpy(out, &next, sizeof next);
  *count = used;
  free(records);
  return TRUE;
}

static BOOL enumerate(const EnumRequest *request, DWORD inBytes, char *out, DWORD outBytes, DWORD *count) {
  if (inBytes < sizeof *request || outBytes < 8) return fail(ERROR_INVALID_PARAMETER);
  size_t length;
  char *names = readAll("names", &length);
  if (names == NULL) return fail(ERROR_NOT_SUPPORTED);
  DWORDLONG next = 0;
  DWORD used = 8, size;
  for (size_t at = 0; (size = recordAt(names, length, at)) != 0; at += size) {
    DWORDLONG reference;
    memcpy(&reference, names + at + 8, sizeof reference);
    if ((reference & RECORD_NUMBER) < (request->start & RECORD_NUMBER)) continue;
    if (used + size > outBytes) break;
    memcpy(out + used, names + at, size);
    used += size;
    next = (reference & RECORD_NUMBER) + 1;
  }
  free(names);
  if (next == 0) return fail(ERROR_HANDLE_EOF);
  memcpy(out, &next, sizeof next);
  *count = used;
  return TRUE;
}

static BOOL volumeData(char *out, DWORD outBytes, DWORD *count) {
  size_t length;
  char *data = readAll("volume-data", &length);
  if (data == NULL) return fail(ERROR_NOT_SUPPORTED);
  if (length > outBytes) {
    free(data);
    return fail(ERROR_INSUFFICIENT_BUFFER);
  }
  memcpy(out, data, length);
  *count = (DWORD)length;
  free(data);
  return TRUE;
}

static WORD wordAt(const char *bytes, size_t at) {
  WORD word;
  memcpy(&word, bytes + at, sizeof word);
  return word;
}

/* Only records that are in use are given: of another one, the next lower one that is. */
static BOOL fileRecord(const DWORDLONG *reference, DWORD inBytes, char *out, DWORD outBytes, DWORD *count) {
  /* sizeof (NTFS_FILE_RECORD_OUTPUT_BUFFER) and a record, less one. */
  if (inBytes < sizeof *reference) return fail(ERROR_INVALID_PARAMETER);
  if (outBytes < 16 + RECORD_BYTES - 1) return fail(ERROR_INSUFFICIENT_BUFFER);
  size_t length;
  char *table = readAll("table", &length);
  if (table == NULL) return fail(ERROR_NOT_SUPPORTED);
  LONGLONG number = (LONGLONG)(*reference & RECORD_NUMBER);
  if ((size_t)number >= length / RECORD_BYTES) {
    free(table);
    return fail(ERROR_INVALID_PARAMETER);
  }
  char *record = table + number * RECORD_BYTES;
  for (; memcmp(record, "FILE", 4) != 0 || (wordAt(record, 22) & 1) == 0; record -= RECORD_BYTES) number--;
  const char *array = record + wordAt(record, 4) + 2;
  for (DWORD end = SECTOR_BYTES; end <= RECORD_BYTES; end += SECTOR_BYTES, array += 2) memcpy(record + end - 2, array, 2);
  DWORD size = RECORD_BYTES;
  memcpy(out, &number, sizeof number);
  memcpy(out + 8, &size, sizeof size);
  memcpy(out + 12, record, RECORD_BYTES);
  *count = 12 + RECORD_BYTES;
  free(table);
  return TRUE;
}

__declspec(dllexport) BOOL WINAPI DeviceIoControl(HANDLE handle, DWORD code, LPVOID in, DWORD inBytes, LPVOID out,
                                                  DWORD outBytes, LPDWORD count, LPOVERLAPPED overlapped) {
  switch (code) {
    case QUERY_USN_JOURNAL:
      return query(out, outBytes, count);
    case READ_USN_JOURNAL:
      return readJournal(in, inBytes, out, outBytes, count);
    case GET_NTFS_FILE_RECORD:
      return fileRecord(in, inBytes, out, outBytes, count);
    case ENUM_USN_DATA:
      return enumerate(in, inBytes, out, outBytes, count);
    case GET_NTFS_VOLUME_DATA:
      return volumeData(out, outBytes, count);
  }
  Control real = (Control)(void *)GetProcAddress(GetModuleHandleA("kernel32"), "DeviceIoControl");
  return real(handle, code, in, inBytes, out, outBytes, count, overlapped);
}
