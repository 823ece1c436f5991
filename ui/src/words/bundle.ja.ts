// What is said of the diagnostic bundle.
import type { bundle as english } from './bundle.en';

export const bundle: typeof english = {
  title: '診断レポート',
  hint: 'サポートに必要な情報（バージョン、設定、通話、SIP メッセージ、ログ）をテキストにまとめます。パスワードやトークンは含まれません。渡す前に内容をご確認ください。',
  shorten: '電話番号を短くする',
  make: '作成',
  again: '作り直す',
  text: 'レポート',
  save: '保存',
  copy: 'レポートをコピー',
  saved: (path) => `${path} に保存しました`,
  size: (lines) => `${lines} 行`,
};
