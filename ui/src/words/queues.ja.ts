// キューについての言葉。
import type { queues as english } from './queues.en';

export const queues: typeof english = {
  title: 'キュー',
  standing: { ready: '受付可', paused: '一時停止', wrapUp: '後処理中', inCall: '通話中', loggedOut: 'ログアウト', unknown: '不明' },
  choices: { ready: '受付を開始', paused: '一時停止', loggedOut: 'ログアウト' },
  saving: '保存中…',
};
