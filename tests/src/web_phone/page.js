// A telephone in a page: SIP over WebSocket (RFC 7118), media by the browser's own WebRTC. `state` is the last word
// of its call; whatever goes wrong stands in `problem`.
window.phone = {
  state: 'idle',
  problem: null,
  said: [],

  async start(server, domain, user, password, speech, codec) {
    Object.assign(this, { domain, user, password, codec, host: `${token()}.invalid`, heard: [] });
    this.audio = new AudioContext({ sampleRate: 48000 });
    this.speech = await this.audio.decodeAudioData(Uint8Array.from(atob(speech), (c) => c.charCodeAt(0)).buffer);
    this.mouth = this.audio.createMediaStreamDestination();
    this.socket = new WebSocket(`wss://${server}`, 'sip');
    this.socket.onmessage = ({ data }) => this.take(data).catch((e) => (this.problem = String(e.stack)));
    this.socket.onerror = () => (this.problem = 'WebSocket');
    await new Promise((open) => (this.socket.onopen = open));
    const me = `sip:${user}@${domain}`;
    await this.ask('REGISTER', `sip:${domain}`, { from: me, to: me, tag: token(), call: token(), cseq: 1 });
    this.state = 'registered';
  },

  // Where `trickles`, its addresses are told after the answer (RFC 8840).
  async dial(number, trickles) {
    await this.connect();
    const offer = await this.pc.createOffer();
    await this.pc.setLocalDescription(offer);
    await this.gathered();
    const sdp = trickles ? offer.sdp : this.pc.localDescription.sdp;
    const target = `sip:${number}@${this.domain}`;
    const dialog = { from: `sip:${this.user}@${this.domain}`, to: target, tag: token(), call: token(), cseq: 1 };
    this.state = 'calling';
    const answer = await this.ask('INVITE', target, dialog, sdp);
    this.dialog = dialog;
    Object.assign(dialog, { target: uri(answer.contact), theirTag: tag(answer.to), route: answer.routes.reverse() });
    this.send('ACK', dialog.target, { ...dialog, cseq: dialog.cseq });
    await this.pc.setRemoteDescription({ type: 'answer', sdp: answer.body });
    if (trickles) await this.trickle();
    await this.talk();
  },

  // One message a candidate, each with all those before it.
  async trickle() {
    const lines = this.pc.localDescription.sdp.split('\r\n');
    const of = (name) => lines.filter((line) => line.startsWith(name));
    const [ufrag, pwd, media, mid] = ['a=ice-ufrag', 'a=ice-pwd', 'm=audio', 'a=mid'].map((name) => of(name)[0]);
    const candidates = of('a=candidate');
    for (let count = 1; count <= candidates.length; count++) {
      this.dialog.cseq += 1;
      const body = [pwd, ufrag, media, mid, ...candidates.slice(0, count), ''].join('\r\n');
      const extra =
        'Info-Package: trickle-ice\r\nContent-Disposition: Info-Package\r\nContent-Type: application/trickle-ice-sdpfrag\r\n';
      await this.ask('INFO', this.dialog.target, this.dialog, body, extra);
    }
  },

  async hangUp() {
    this.dialog.cseq += 1;
    await this.ask('BYE', this.dialog.target, this.dialog);
    this.end();
  },

  async connect() {
    this.pc = new RTCPeerConnection();
    this.pc.addTrack(this.mouth.stream.getAudioTracks()[0], this.mouth.stream);
    const all = RTCRtpReceiver.getCapabilities('audio').codecs;
    this.pc.getTransceivers()[0].setCodecPreferences(all.filter((c) => c.mimeType.toLowerCase() === `audio/${this.codec.toLowerCase()}`));
    this.pc.ontrack = async ({ track }) => {
      // A track that nobody listens to is not decoded.
      const ear = new Audio();
      ear.srcObject = new MediaStream([track]);
      ear.play();
      const frames = new MediaStreamTrackProcessor({ track }).readable.getReader();
      for (let next = await frames.read(); !next.done; next = await frames.read()) {
        const samples = new Float32Array(next.value.numberOfFrames);
        next.value.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
        this.rate = next.value.sampleRate;
        next.value.close();
        this.heard.push(samples);
      }
    };
  },

  gathered() {
    return new Promise((done) => {
      const look = () => this.pc.iceGatheringState === 'complete' && done();
      this.pc.addEventListener('icegatheringstatechange', look);
      look();
    });
  },

  // Once there is a way: what is said before is heard by nobody.
  async talk() {
    while (this.pc.connectionState !== 'connected') {
      if (this.state === 'ended') return;
      await new Promise((next) => setTimeout(next, 20));
    }
    this.state = 'talking';
    const source = this.audio.createBufferSource();
    source.buffer = this.speech;
    source.connect(this.mouth);
    source.start();
  },

  end() {
    this.state = 'ended';
    this.pc.close();
  },

  // What was heard, 16 bit, in base64.
  recording() {
    const bytes = [];
    for (const samples of this.heard) {
      for (const sample of samples) {
        const value = Math.round(Math.max(-1, Math.min(1, sample)) * 32767) & 0xffff;
        bytes.push(value & 0xff, value >> 8);
      }
    }
    let text = '';
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.slice(i, i + 8192));
    return { rate: this.rate, samples: btoa(text) };
  },

  async figures() {
    const out = {};
    for (const stat of (await this.pc.getStats()).values()) {
      if (stat.type === 'transport') Object.assign(out, { dtls: stat.dtlsState, srtp: stat.srtpCipher, pair: stat.selectedCandidatePairId });
      if (stat.type === 'inbound-rtp') Object.assign(out, { received: stat.packetsReceived, lost: stat.packetsLost });
      if (stat.type === 'remote-inbound-rtp') out.reported = true;
    }
    return out;
  },

  // Sends a request, shows who we are where that is asked for, and gives the answer that ends it.
  async ask(method, target, dialog, body, extra = '') {
    let answer = await this.transaction(method, target, dialog, body, extra);
    if (answer.status === 401 || answer.status === 407) {
      if (method === 'INVITE') this.send('ACK', target, { ...dialog, theirTag: tag(answer.to), branch: answer.branch });
      dialog.cseq += 1;
      const name = answer.status === 401 ? 'Authorization' : 'Proxy-Authorization';
      const shown = `${name}: ${this.credentials(method, target, answer.challenge)}\r\n`;
      answer = await this.transaction(method, target, dialog, body, extra + shown);
    }
    if (answer.status >= 300) throw new Error(`${method}: ${answer.status}`);
    return answer;
  },

  transaction(method, target, dialog, body, extra) {
    return new Promise((resolve) => {
      this.waiting = { method, cseq: dialog.cseq, resolve };
      this.send(method, target, dialog, body, extra);
    });
  },

  credentials(method, target, challenge) {
    const value = (name) => new RegExp(`${name}="([^"]*)"`).exec(challenge)[1];
    const [realm, nonce] = [value('realm'), value('nonce')];
    const secret = md5(`${this.user}:${realm}:${this.password}`);
    const response = md5(`${secret}:${nonce}:${md5(`${method}:${target}`)}`);
    return `Digest username="${this.user}", realm="${realm}", nonce="${nonce}", uri="${target}", response="${response}"`;
  },

  send(method, target, dialog, body = '', extra = '') {
    const { from, to, tag: ours, theirTag, call, cseq, route = [] } = dialog;
    const branch = dialog.branch ?? `z9hG4bK${token()}`;
    const contact = `<sip:${this.user}@${this.host};transport=ws>`;
    this.socket.send(
      `${method} ${target} SIP/2.0\r\nVia: SIP/2.0/WSS ${this.host};branch=${branch}\r\nMax-Forwards: 70\r\n` +
        route.map((one) => `Route: ${one}\r\n`).join('') +
        `From: <${from}>;tag=${ours}\r\nTo: <${to}>${theirTag ? `;tag=${theirTag}` : ''}\r\n` +
        `Call-ID: ${call}\r\nCSeq: ${cseq} ${method}\r\nContact: ${contact}\r\n${extra}` +
        (body && !extra.includes('Content-Type') ? 'Content-Type: application/sdp\r\n' : '') +
        `Content-Length: ${body.length}\r\n\r\n${body}`,
    );
  },

  async take(text) {
    const message = parse(text);
    this.said.push(text);
    if (message.status) {
      const { waiting } = this;
      if (message.status >= 200 && waiting?.method === message.method && waiting.cseq === message.number) waiting.resolve(message);
    } else if (message.method === 'INVITE' && !this.dialog) {
      const ours = token();
      this.dialog = {
        from: uri(message.to), to: uri(message.from), tag: ours, theirTag: tag(message.from),
        call: message.call, cseq: 0, target: uri(message.contact), route: message.routes,
      };
      this.reply(message, '180 Ringing', ours);
      await this.connect();
      await this.pc.setRemoteDescription({ type: 'offer', sdp: message.body });
      await this.pc.setLocalDescription(await this.pc.createAnswer());
      await this.gathered();
      this.reply(message, '200 OK', ours, this.pc.localDescription.sdp);
      await this.talk();
    } else if (message.method !== 'ACK') {
      this.reply(message, '200 OK', tag(message.to) ?? token());
      if (message.method === 'BYE') this.end();
    }
  },

  reply(message, status, ours, body = '') {
    const to = tag(message.to) ? message.to : `${message.to};tag=${ours}`;
    this.socket.send(
      `SIP/2.0 ${status}\r\n${message.vias.map((via) => `Via: ${via}\r\n`).join('')}` +
        message.routes.map((route) => `Record-Route: ${route}\r\n`).join('') +
        `From: ${message.from}\r\nTo: ${to}\r\nCall-ID: ${message.call}\r\nCSeq: ${message.cseq}\r\n` +
        `Contact: <sip:${this.user}@${this.host};transport=ws>\r\n` +
        (body ? 'Content-Type: application/sdp\r\n' : '') +
        `Content-Length: ${body.length}\r\n\r\n${body}`,
    );
  },
};

function parse(text) {
  const end = text.indexOf('\r\n\r\n');
  const [first, ...lines] = text.slice(0, end).split('\r\n');
  const all = (name) => lines.filter((l) => l.toLowerCase().startsWith(`${name}:`)).map((l) => l.slice(l.indexOf(':') + 1).trim());
  const one = (name) => all(name)[0] ?? '';
  const [number, method] = one('cseq').split(/\s+/);
  return {
    status: first.startsWith('SIP/2.0 ') ? Number(first.split(' ')[1]) : 0,
    method, number: Number(number), cseq: one('cseq'), from: one('from'), to: one('to'), call: one('call-id'),
    contact: one('contact'), vias: all('via'), routes: all('record-route').flatMap((r) => r.split(/,\s*(?=<)/)),
    branch: /branch=([^;,]*)/.exec(one('via'))?.[1],
    challenge: one('www-authenticate') || one('proxy-authenticate'), body: text.slice(end + 4),
  };
}

const uri = (text) => /<([^>]*)>/.exec(text)?.[1] ?? text.split(';')[0];
const tag = (text) => /;tag=([^;]*)/.exec(text)?.[1];
const token = () => Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16).padStart(2, '0')).join('');

// RFC 1321, for digest (RFC 3261, section 22); browsers bring no such hash.
function md5(text) {
  const bytes = [...new TextEncoder().encode(text)];
  const bits = bytes.length * 8;
  bytes.push(0x80);
  while (bytes.length % 64 !== 56) bytes.push(0);
  for (let i = 0; i < 8; i++) bytes.push(i < 4 ? (bits >>> (8 * i)) & 0xff : 0);
  const turns = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
  const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
  for (let block = 0; block < bytes.length; block += 64) {
    const word = (n) => { const at = block + 4 * n; return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24); };
    let [a, b, c, d] = state;
    for (let i = 0; i < 64; i++) {
      const round = i >> 4;
      const mixed = [(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)][round];
      const place = [i, 5 * i + 1, 3 * i + 5, 7 * i][round] % 16;
      const sum = (a + mixed + Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) + word(place)) | 0;
      const by = turns[round][i % 4];
      [a, d, c, b] = [d, c, b, (b + ((sum << by) | (sum >>> (32 - by)))) | 0];
    }
    [a, b, c, d].forEach((value, i) => (state[i] = (state[i] + value) | 0));
  }
  return state.flatMap((v) => [0, 8, 16, 24].map((by) => ((v >>> by) & 0xff).toString(16).padStart(2, '0'))).join('');
}
