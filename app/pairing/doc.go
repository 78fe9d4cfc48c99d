// Package pairing makes two devices trusted peers of each other in one act of
// two people, without a server: by an invitation, which one device shows as a
// QR code or link and the other takes (LQ1), or by comparing six digits that
// both show (LN1).
//
// Each side of each method is a Machine: a pure state machine that takes
// events and gives effects. It opens no connection, reads no clock and stores
// nothing; Run drives one over a stream with a Host that does. The stream is
// one QUIC stream of a connection with ALPN lanyard-pair/1, TLS 1.3 and both
// certificates; the IDs of both ends come from the certificates, and Binding
// is exported key material of just that connection (RFC 5705), so that nothing
// said on one connection means anything on another.
//
// Encoding, for messages and for whatever is hashed: fields of variable length
// are preceded by their length as uint16, big-endian; others stand as they
// are. A message is a type byte followed by its fields.
//
// # LQ1, by an invitation
//
// A shows, B takes. s is the invitation's secret, e the Binding,
// K = HKDF-SHA256(s, salt e, "LQ1" ‖ idA ‖ idB), with keys BtoA, AtoB, done and
// show derived from it.
//
//	B→A hello:  nB, HMAC(BtoA, "B" ‖ idA ‖ idB ‖ nB ‖ nameB), nameB
//	A→B answer: nA, HMAC(AtoB, "A" ‖ idA ‖ idB ‖ hello ‖ nA ‖ nameA), nameA
//	B→A done:   HMAC(done, hello ‖ answer)
//
// What must hold, and where it is seen to:
//
//	P1  A pairs only with whoever knew s on this channel: invited.go, took
//	P2  B pairs only with the certificate in the invitation: NewTaker
//	P3  s is accepted once, also across a crash: Invitations, which lives in
//	    memory alone and is marked before anything else happens
//	P4  s goes nowhere but into the code and link: Secret prints as [secret]
//	P5  no transcript tests s offline cheaper than 2^128: s has 128 random bits
//	    and appears only as HKDF input
//	P6  nothing can be reflected: the labels "A" and "B", and idA ≠ idB
//	P7  nothing of one method works in the other: "LQ1" and "LN1" in the keys
//	P8  at each crash a side is unpaired, pending or paired, and pending is not
//	    a peer: Save says which, and comes before what the other side relies on
//
// # LN1, by comparing six digits
//
// I began, R was chosen. The commitment fixes I's part before R's is seen, so
// that whoever stands between has one guess of 10^-6 for each run.
//
//	I→R commit: SHA-256("LN1-commit" ‖ idI ‖ idR ‖ e ‖ nI ‖ nameI), nameI
//	R→I nonce:  nR, nameR
//	I→R reveal: nI
//	both show:  the code, from k = HKDF-SHA256(nI ‖ nR, salt e, "LN1" ‖ idI ‖ idR ‖ nameI ‖ nameR)
//	I→R agree:  HMAC(kI, "ok"), once its person agreed
//	R→I agree:  HMAC(kR, "ok"), once its person agreed and I's tag is right
//	I→R done:   HMAC(done, all messages before)
//
//	Q1  the code is fixed by the commitment and R's nonce: nearby.go, revealed
//	Q2  both give fresh randomness, used once: the constructors draw it
//	Q3  the code binds certificates, channel and names: codeKey
//	Q4  nothing is stored before both agreed: conclude
//	Q5  nothing of one method works in the other: "LN1" in the keys
//	Q6  an abort leaves nothing that can be used again: all of it is bound to e
//
// A run counts against the Limits from the moment that a side has committed
// itself, however the run ends; otherwise one who ends runs before they fail
// could try as often as he likes.
package pairing
