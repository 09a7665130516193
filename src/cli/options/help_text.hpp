#pragma once
/// What --help says in addition to the list of options.

#include <string_view>

namespace vembed::cli {

inline constexpr std::string_view default_model = "bge-large-v1.5";

inline constexpr const char* program_description =
    "Embeds a corpus through a verified-inference service: as fast as the account allows, never silently paying\n"
    "twice, never losing a row, and checking every row against its receipt.";

inline constexpr const char* program_footer = R"(Examples:
  vembed plan corpus.jsonl                         what a run would take and when it is done; submits nothing
  vembed embed corpus.jsonl -o out --id-field id   one row for each line, numpy.load("out/embeddings.npy")
  zcat lines.gz | vembed embed - -o out            standard input is kept in out/stdin.spool first
  vembed embed corpus.jsonl -o out --id-field id   again, after anything: goes on where it ended
  vembed status out                                how far it is, also while it runs
  vembed verify out                                checks the result against its receipts, offline
  vembed prove out --row 7 -o row7.json            a small file with which anybody can check that row
  vembed attest corpus.txt --npy mine.npy -o r.jsonl    has embeddings of your own verified, for receipts
  vembed serve                                     a local service to try all of this with
  vembed aitbc submit --model llama3.2 --input hello --wait    a compute job of AITBC, see `vembed aitbc --help`

Environment:
  CYBERIAN_API_KEY    the account's key (or --api-key-file; never an argument: those are public on a machine)
  CYBERIAN_BASE_URL   where the service is, if not https://api.cyberiansystems.ai
  CYBERIAN_CA_FILE    certificate authorities (PEM) to trust instead of the system's
  AITBC_…             the same for `vembed aitbc`
  XDG_STATE_HOME      where vembed/quota counts the account's use for all processes, if not ~/.local/state

Exit status:
  0    done
  1    an error; the message says which
  2    the command line, a key file's name or a setting makes no sense; nothing was sent
  3    done, but some rows failed (see failed.jsonl)
  4    no usable API key, a key that the service refuses, or an expired trial
  5    verification failed: something is not what it was attested to be
  6    a check that was asked for could not be made
  7    the output folder belongs to another run, or is in use
  75   unfinished, run the same command again: quota used up, service busy or out of reach,
       batches in doubt, first Ctrl-C
  130  second Ctrl-C: ended at once (the output folder can still be continued)

`vembed COMMAND --help` tells a command's options.)";

/// The footer of commands whose options explain everything.
inline constexpr const char* command_footer = "`vembed --help` tells the environment and the exit status.";

inline constexpr const char* embed_footer =
    R"(Inputs are plain lines, JSONL, CSV or TSV, told by their names or --format; gzip and zstd are read as they are.
A file of another name, or standard input, is plain lines unless it looks like JSON, a table or binary data (refused).
Several inputs count as one corpus. Rows keep their order: row i of embeddings.npy is row i of the corpus.

The folder DIR gets
  embeddings.npy   float32, rows x dimensions, once every row is there (embeddings.npy.partial until then)
  rows.sha256, texts.sha256   the hashes of each row's bytes and of each text, 32 and 64 bytes a row
  ids.jsonl        {"row":0,"id":"..."} for each row
  receipts.jsonl   for each job: its rows, its chunks' commitments, its receipt
  failed.jsonl     rows that could not be embedded, with file, line and reason; itself a corpus to try again
  duplicates.jsonl, cached.jsonl   rows that are copies of others, rows that came from the cache
  manifest.json    what was run, counts, a root over all rows, SHA-256 of each other file, batches in doubt
  journal.sqlite   what makes it safe to run the same command again

A batch whose submission got no usable response is in doubt: it may have been charged. If the account's own count shows
that it was not, and no other key was used meanwhile (or --sole-use is given), it is bought as if new. Otherwise
--on-unknown park (the default) leaves its rows out, names it and exits with 75; --on-unknown resubmit sends it again,
for at most --max-extra-chunks in all.

If the day's or the period's quota is used up, the run ends with 75 and says when to come back; with --wait-quota it
waits. Rows with the same text are bought once (--no-dedup: each is bought); --cache DIR keeps rows for later runs.

Ctrl-C stops submitting and finishes what is in flight; a second one ends at once.)";

inline constexpr const char* plan_footer =
    R"(Nothing is submitted: with an API key, the account's limits and the catalog are asked for, and that is all.
The service tells how many rows a chunk has with the first job that it accepts. Until then the plan is made for chunks
of 1 and of 100 rows; --chunk-size says it, and with -o DIR the journal of a run that was begun knows it. Times are the
earliest that the account's limits allow. The service does not tell how many chunks were used today: those that this
user's runs on this machine used count (--quota-folder, as embed has it), others do not.
The size of the output is told if the model's dimensions are known, and with -o DIR what is free there.)";

inline constexpr const char* attest_footer =
    R"(You ran the model yourself: row i of the .npy file is the embedding of text i. The service runs the texts again and
issues a receipt for rows that are, bit for bit, what it computes (POST /verify). Only the texts and the SHA-256 of the
rows are sent. Each request is charged like a job of as many rows.

Rows go in requests of one chunk if its size is known (--chunk-size, or chunk_size in --spec), else of up to 1000
rows, which are halved if the service refuses that. FILE gets a line for each request, durably, as it comes: its rows,
their commitment (SHA-256), the root over its texts (RFC 6962), the outcome, the receipt, and what of it was checked:
  attested    there is a receipt
  rejected    the service computes something else; its reason and job are in the line
  unverified  there is a receipt, but it does not hold
  timed_out   the service's work did not end in time: the same command asks again, which may be charged again
  unknown     the response was lost: attested or not, charged or not. Never asked again but with --retry-unknown
  refused     the service does not take this row
The same command, run again after anything, goes on: what FILE has is not asked for again. A line that says attested is
first checked against its receipt; a line that does not agree with it is named, and nothing is bought for its rows
(status 5). FILE.sent says what is under way. Rows with a number that is not finite, and texts that cannot be sent, are
left out and named (status 3); blank lines are left out and counted apart, and are no failure (--blank-lines).
Ctrl-C sends nothing more and waits for the responses; a second one ends at once, and what was under way is then unknown.
With --commitment in place of --npy, only the hash of the rows is needed: all texts go in one request, which has to be
one chunk or what the service takes as one; a text that cannot be sent refuses them all.
Receipts are not signed: they show integrity, never origin.)";

inline constexpr const char* job_submit_footer =
    R"(Prints the job's id as soon as the service has accepted it; then: vembed job wait ID, vembed job output ID.
The texts are lines, JSONL, CSV or TSV in files, - for standard input, or --text. One that cannot be sent refuses them
all. The submission is sent once. If it gets no usable response, it is in doubt (1): the job may exist and be charged.)";

inline constexpr const char* receipt_check_footer =
    R"(With the receipt alone its form and its hash are checked. --texts has its inputs_root recomputed, --results its
outputs_root from the chunks' commitments, --npy with it those from the rows; --npy alone is tried as one chunk.
Checks for --require: receipt_form receipt_job receipt_id results_job specification ranges output_shape
output_commitment outputs_root inputs_root receipt_hash verification_attestation origin; all: every one but origin. A
hash over what was given is required in any case. Of a receipt alone a changed hash is a question, since the service
does not document the scheme; with --pins it is an answer. Receipts are not signed: they show integrity, never origin.
Exit status 0: what is required is verified and nothing failed; 5: something failed; 6: it could not be checked.)";

inline constexpr const char* serve_footer =
    R"(Prints one JSON line on standard output when ready: {"base_url":"...","api_key":"..."}; with --api cyberun it has
"store_url" as well. Options that name a service are for that --api; the others from --tier to --spoil-in-transfer are
for cyberian. Faults of cyberun and aitbc: a wrong name lists them. Faults of cyberian are probabilities of drop, delay,
truncate, rate_limited, busy, inflight, bad_gateway, empty_error, failed_chunk, refund, wrong_shape, corrupt,
invalid_receipt, retry_after_date (an HTTP-date in place of seconds in a response's Retry-After), and the numbers
delay_ms_max, retry_after_s_max; e.g.
  vembed serve --seed 7 --faults drop=0.02,busy=0.01,rate_limited=0.01

A spoiled job's proof contradicts itself, in the same way each time it is asked for. As faults these are probabilities
for a job; --spoil names the jobs, counted from 1 as they are accepted (--spoil output_bit@3):
  output_bit, output_swapped (chunks), output_short    the output, beside right results and a right receipt
  output_nan, output_zero                              a row, with commitments and receipt that are true of it
  commitment_bit, results_of_another, range_gap, range_overlap, chunk_missing    the results
  receipt_hash_bit, inputs_root_bit, outputs_root_bit  the receipt, a flipped bit
  inputs_root_forged, outputs_root_forged, receipt_job_forged, receipt_id_forged    the receipt, with a hash over that
  receipt_of_another                                   the whole text of another job's receipt
A receipt scheme is JSON/FIELD/LEAF/NODE/ODD, one of each:
  JSON   jcs (RFC 8785), sorted-ascii, as-sent         FIELD  without-receipt_hash, empty-receipt_hash
  LEAF   leaf-00 (RFC 6962), leaf-plain, leaf-digest, leaf-00-digest, leaf-hex
  NODE   node-01 (RFC 6962), node-plain, node-hex      ODD    rfc6962, duplicate)";

inline constexpr const char* verify_footer =
    R"(With no network: the files against each other and against what was noted of them, every row against its own hash and
its chunk's commitment, every receipt against chunks, texts and job. Each check says what it rests on: recorded (by
vembed when it wrote the folder), specified or implied by the service's documentation, assumed (a scheme that the
service does not document) or pinned (a scheme that earlier receipts of the account followed).
Receipts are not signed: they show integrity, never origin. Only the sampled chunks were re-executed.
Checks for --require: manifest shape files row_root row_hashes row_values failed_rows copied_rows cached_rows
job_outputs row_coverage receipts_file pins receipt_form receipt_job receipt_id results_job specification ranges
output_shape output_commitment outputs_root inputs_root receipt_hash verification_attestation origin
service_check service_check_now (with --online only); all: every one but origin, service_check_now only with --online.
failed_rows, copied_rows and cached_rows hold if the folder has no such rows; any other check that has nothing to look
at cannot be made. Exit status 5: something failed; 6: a required check could not be made. With --online: 4: the
service refuses the key; 2: the receipts are of another service than the one to ask, and nothing was checked.)";

inline constexpr const char* prove_footer =
    R"(Part one says that a text has a row: their SHA-256 lead to the folder's row root (manifest.json, "row_root"). It
stands on the word of whoever publishes that root. Part two (--platform) has the bytes of the row's chunk and leads from
them to the outputs_root of the job's receipt, and from the text to its inputs_root. It stands on the word of the
service's receipt, which is not signed; it says whether the service re-executed that chunk.
The proof is checked before it is written. Rows that failed have none; rows from the cache have no part two; that of a
copied row is the original's. `vembed check-proof FILE`, or examples/check_row_proof.py with Python alone, checks it.
Exit status 5: the folder contradicts itself; 6: no known scheme gives a hash that part two rests on; 75: the run of the
folder is unfinished.)";

inline constexpr const char* check_proof_footer =
    R"(No network, no folder: only the files. Give --root (and --rows) from where the folder's owner published them: without
it the proof is checked against the root that it brings along. --text-file says whether the text is the row's.
Which schemes the receipt follows is the proof's own word; --pins (and --account) say what you know of them, and that
counts instead. Without, a tree whose leaves and nodes have no prefixes shows nothing: other bytes may be passed off as
the chunk. Under some of these a text may be passed off as well, which --text-file excludes.
Exit status 0: all that the proofs claim holds; 5: something is false; 6: a scheme is not known to this version, or is
one of those trees.)";

inline constexpr const char* export_footer =
    R"(fbin         rows and dimensions as uint32, then the rows as float32, little-endian
safetensors  one tensor named "embeddings", F32
The rows are those of embeddings.npy, in its order; failed rows are NaN there. An unfinished folder is refused (75).)";

inline constexpr const char* api_key_refusal =
    "vembed: there is no --api-key option: every user of this machine can read the arguments of a running program.\n"
    "Put the key into the environment variable CYBERIAN_API_KEY (AITBC_API_KEY for vembed aitbc), or into a file that\n"
    "only you can read and give --api-key-file FILE. A key that stood on a command line should be rotated:\n"
    "vembed keys rotate.\n";

}  // namespace vembed::cli
