// A picture file on its way to the phone.

/** Largest file the phone is given, bytes. */
export const MOST_BYTES = 16 * 1024 * 1024;

/** Why a file was not read. */
export type Unread = 'tooLarge' | 'unread';

/** The file in base64, or why not. */
export async function base64Of(file: File): Promise<{ base64: string } | Unread> {
  if (file.size > MOST_BYTES) return 'tooLarge';
  return new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done({ base64: String(reader.result).replace(/^[^,]*,/, '') });
    reader.onerror = () => done('unread');
    reader.readAsDataURL(file);
  });
}

/** The first file of what was dropped or pasted, if there is one. */
export function fileIn(data: DataTransfer | null): File | null {
  return data?.files[0] ?? null;
}
