%% The module of the library in words.rs.
-module(words).
-export([load/2, split/1, new/0, add/2, counts/1, watch/2, unwatch/1, tell_when_gone/2, count_file/1, count_later/2, length_sum/1, scheduler/1,
         keep/1, part_of_kept/3, repeat/2, describe/1, change/3, numbers/1, fail/1, twice/1, external/1, order/2, about/1,
         pipe/0, pipe_write/2, pipe_read/1, pipe_select/2, pipe_close/1]).

-define(NIF, erlang:nif_error(not_loaded)).

load(Path, Argument) -> erlang:load_nif(Path, Argument).

split(_) -> ?NIF.
new() -> ?NIF.
add(_, _) -> ?NIF.
counts(_) -> ?NIF.
watch(_, _) -> ?NIF.
unwatch(_) -> ?NIF.
tell_when_gone(_, _) -> ?NIF.
count_file(_) -> ?NIF.
count_later(_, _) -> ?NIF.
length_sum(_) -> ?NIF.
scheduler(_) -> ?NIF.
keep(_) -> ?NIF.
part_of_kept(_, _, _) -> ?NIF.
repeat(_, _) -> ?NIF.
describe(_) -> ?NIF.
change(_, _, _) -> ?NIF.
numbers(_) -> ?NIF.
fail(_) -> ?NIF.
twice(_) -> ?NIF.
external(_) -> ?NIF.
order(_, _) -> ?NIF.
about(_) -> ?NIF.
pipe() -> ?NIF.
pipe_write(_, _) -> ?NIF.
pipe_read(_) -> ?NIF.
pipe_select(_, _) -> ?NIF.
pipe_close(_) -> ?NIF.
