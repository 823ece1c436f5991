// What is said of the phone itself and of newer versions.
import type { about as english } from './about.en';

export const about: typeof english = {
  title: 'このアプリについて',
  version: (version) => `バージョン ${version}`,
  look: '新しいバージョンを確認',
  looking: '新しいバージョンを確認しています…',
  current: '最新のバージョンです。',
  unknown: '1 日に 1 回、新しいバージョンを確認します。',
  off: '新しいバージョンは管理者から提供されます。',
  available: (version) => `バージョン ${version} があります。`,
  byOthers: '管理者または入手元から提供されます。',
  whatIsNew: '新機能',
  fetch: 'ダウンロード',
  fetching: (percent) => `ダウンロード中: ${percent}`,
  ready: (version) => `バージョン ${version} をインストールできます。`,
  install: '今すぐインストール',
  notInCall: '通話が終わるとインストールできます。',
  installing: 'インストールを開始しました。電話アプリが閉じることがあります。',
  replaced: '新しいバージョンに置き換えました。次回の起動から使われます。',
  later: '後で',
};
