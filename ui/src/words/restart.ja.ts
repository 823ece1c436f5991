// What is said after a crash.
import type { restart as en } from './restart.en';

export const restart: typeof en = { said: '電話は障害のあと再起動しました。', see: 'レポートを見る', dismiss: '閉じる' };
