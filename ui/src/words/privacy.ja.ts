// プライバシーについての言葉。
import type { privacy as english } from './privacy.en';

export const privacy: typeof english = {
  title: 'プライバシー',
  keep: '通話を保存する期間',
  spans: { always: '容量の許す限り', year: '1年間', quarter: '90日間', month: '30日間' },
  keepTitle: (span: string) => `通話の保存期間を${span}にしますか？`,
  keepBody: 'それより前の通話は履歴から削除されます。この操作は取り消せません。',
  forget: '以前の通話を削除',
  others: '他の人に伝わること',
  screen: 'この画面で',
  names: '通知に発信者を表示',
  namesHint: 'オフにすると、着信があることだけを知らせます。',
  contacts: '連絡先',
  computer: 'このコンピューターの連絡先を表示する',
  computerHint: 'アドレス帳から読み込み、この電話機だけで使います。PBX やほかの電話機には送られません。',
  computerLoading: 'アドレス帳を読み込んでいます…',
};
