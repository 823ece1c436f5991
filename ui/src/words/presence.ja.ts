// 自分の状態についての言葉。
import type { presence as english } from './presence.en';

export const presence: typeof english = {
  title: 'あなたの状態',
  choices: { available: '応答可能', away: '離席中', lunch: '昼食中', businessTrip: '出張中', doNotDisturb: '取り込み中' },
  addNote: 'メモを追加…',
  noteTitle: '状態に添えるメモ',
  note: 'メモ',
  noteHint: '同僚にはあなたの名前の横に表示されます。不要なら空にしてください。',
  cancel: 'キャンセル',
  save: '保存',
};
