// 着信転送についての言葉。
import type { forwarding as english } from './forwarding.en';

export const forwarding: typeof english = {
  title: '着信転送',
  lead: 'この設定はPBXがすべての電話に適用します。この電話がオフのときも有効です。',
  hours: '時間帯',
  office: '営業時間内',
  outside: '営業時間外',
  states: { available: '応答可能', busy: '通話中', doNotDisturb: '着信拒否', away: '離席中', lunch: '昼食中', businessTrip: '出張中', offline: '接続中の電話がない', noAnswer: '応答がない', noAnswerBusy: '通話中に応答がない' },
  does: { ring: '呼び出す', voicemail: 'ボイスメールへ', number: '番号へ転送', hangUp: '拒否' },
  unset: '未設定',
  number: (when: string) => `「${when}」の転送先番号`,
  numberLabel: '番号',
  after: '呼び出し時間',
  seconds: (n: number) => `${n}秒`,
  unanswered: '応答がない場合',
  saving: '保存中…',
};
