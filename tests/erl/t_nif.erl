%% Native libraries in C: the functions of the interface by way of t_nif.c, which is compiled here, where there is a compiler.
-module(t_nif).
-export([load/2, nothing/0, nothing/1, kind/2, numbers/1, zeros/4, limits/0, infinity/1, atom_text/2, atoms/0, long_atom/1, string_text/2, list/1,
         tuple/1, many/0, map/3, map_of/2, map_walk/1, binary/1, released/0, overrun/0, codeset/0, part/3, iolist/1, etf/1, unsafe_etf/0, vector/2, queue/1, badarg/2,
         raise/1, raise_and_return/1, hashes/2, times/0, print/1, processes/2, send_it/2, to_port/2, thread/0, new_thing/1, thing_number/1,
         thing_bytes/1, watch/2, unwatch/1, dynamic/3, alive_after/0, chain/1, bad_schedule/0, dirty_cpu/1, dirty_io/1, dirty_raise/1,
         dirty_wait/2, info/0, environment/0, private/0, destroyed_so_far/0]).
-include("diff.hrl").
-include("c_library.hrl").

-define(NIF, erlang:nif_error(not_loaded)).

nothing() -> ?NIF.
nothing(_) -> ?NIF.
kind(_, _) -> ?NIF.
numbers(_) -> ?NIF.
zeros(_, _, _, _) -> ?NIF.
limits() -> ?NIF.
infinity(_) -> ?NIF.
atom_text(_, _) -> ?NIF.
atoms() -> ?NIF.
long_atom(_) -> ?NIF.
string_text(_, _) -> ?NIF.
list(_) -> ?NIF.
tuple(_) -> ?NIF.
many() -> ?NIF.
map(_, _, _) -> ?NIF.
map_of(_, _) -> ?NIF.
map_walk(_) -> ?NIF.
binary(_) -> ?NIF.
released() -> ?NIF.
overrun() -> ?NIF.
codeset() -> ?NIF.
part(_, _, _) -> ?NIF.
iolist(_) -> ?NIF.
etf(_) -> ?NIF.
unsafe_etf() -> ?NIF.
vector(_, _) -> ?NIF.
queue(_) -> ?NIF.
badarg(_, _) -> ?NIF.
raise(_) -> ?NIF.
raise_and_return(_) -> ?NIF.
hashes(_, _) -> ?NIF.
times() -> ?NIF.
print(_) -> ?NIF.
processes(_, _) -> ?NIF.
send_it(_, _) -> ?NIF.
to_port(_, _) -> ?NIF.
thread() -> ?NIF.
new_thing(_) -> ?NIF.
thing_number(_) -> ?NIF.
thing_bytes(_) -> ?NIF.
watch(_, _) -> ?NIF.
unwatch(_) -> ?NIF.
dynamic(_, _, _) -> ?NIF.
alive_after() -> ?NIF.
chain(_) -> ?NIF.
bad_schedule() -> ?NIF.
dirty_cpu(_) -> ?NIF.
dirty_io(_) -> ?NIF.
dirty_raise(_) -> ?NIF.
dirty_wait(_, _) -> ?NIF.
info() -> ?NIF.
environment() -> ?NIF.
private() -> ?NIF.
destroyed_so_far() -> ?NIF.

load(Path, Info) -> erlang:load_nif(Path, Info).

library() -> c_library("t_nif.c", "t_nif_lib", "").

%% With the library loaded.
with(F) ->
    case loaded() of
        ok -> F();
        Why -> Why
    end.

loaded() ->
    case c(fun() -> nothing() end) of
        {ok, ok} -> ok;
        _ ->
            case library() of
                Path when is_list(Path) ->
                    case load(Path, 0) of
                        {error, {reload, _}} -> ok;
                        Other -> Other
                    end;
                Why -> Why
            end
    end.

next() -> receive X -> X after 2000 -> nothing end.
all() -> receive X -> [X | all()] after 200 -> [] end.

terms() ->
    [0, -1, 1 bsl 59, 1 bsl 60, -(1 bsl 63), 1 bsl 64, 1 bsl 200, 1.5, -0.0, 1.0e300, a, '', 'åäö', [], [1, 2], [a | b], "text", {}, {1, 2, 3},
     <<>>, <<1, 2, 3>>, <<0:900>>, <<5:3>>, #{}, #{a => 1}, maps:from_list([{N, N} || N <- lists:seq(1, 50)]), self(), make_ref(),
     fun() -> ok end, fun lists:map/2, port()].

%% Some port that stays.
port() ->
    case whereis(t_nif_port) of
        undefined ->
            P = open_port({spawn, "cat"}, []),
            true = register(t_nif_port, P),
            unlink(P),
            P;
        P -> P
    end.

calls() ->
    [{nothing, fun() -> [nothing(), nothing(x), (fun ?MODULE:nothing/1)({y}), apply(?MODULE, nothing, ["z"])] end},
     {kind, fun() -> [[{kind(A, B), kind(B, A)} || B <- [0, a, <<1>>]] || A <- terms()] end},
     {zeros, fun() -> [zeros([0, 1], #{k => 0}, k, id(0)), zeros([0 | 0], #{0 => 0}, 0, 1)] end},
     {numbers, fun() -> [numbers(N) || N <- terms() ++ [-2147483648, 2147483647, 2147483648, 4294967295, 4294967296, 9223372036854775807, 9223372036854775808, -9223372036854775808, -9223372036854775809, 18446744073709551615, 18446744073709551616]] end},
     {limits, fun() -> limits() end},
     {infinity, fun() -> c(fun() -> infinity(1) end) end},
     {atoms, fun() -> {atoms(), [atom_text(A, N) || A <- [abc, '', 'åäö', list_to_atom([1000]), "abc", list_to_atom(lists:duplicate(255, $y))], N <- [0, 1, 3, 4, 256, 1000]]} end},
     {long_atom, fun() -> [c(fun() -> long_atom(N) end) || N <- [255, 256]] end},
     {strings, fun() -> [string_text(S, N) || S <- ["", "abc", "åäö", [1000], [a], [1 | 2], abc, <<"abc">>, [0, 1, 2], [-1]], N <- [0, 1, 3, 4, 50]] end},
     {lists, fun() -> [list(L) || L <- [[], [1], [1, 2, 3], [1 | 2], a, lists:seq(1, 100)]] end},
     {tuples, fun() -> [c(fun() -> tuple(T) end) || T <- [{}, {a}, {1, 2, 3}, list_to_tuple(lists:seq(1, 300)), [], #{}]] end},
     {many, fun() -> many() end},
     {maps, fun() -> [map(M, K, v) || M <- [#{}, #{a => 1}, maps:from_list([{N, N} || N <- lists:seq(1, 50)]), []], K <- [a, 1, 1.0]] end},
     {maps_of, fun() -> [c(fun() -> map_of(K, V) end) || {K, V} <- [{{}, {}}, {{a, b}, {1, 2}}, {{a, a}, {1, 2}}, {list_to_tuple(lists:seq(1, 40)), list_to_tuple(lists:seq(1, 40))}, {x, y}]] end},
     {maps_walked, fun() -> [begin {A, B, C, D, E, F} = map_walk(M), {lists:sort(A), A =:= lists:reverse(B), C, D, E, F} end || M <- [#{}, #{a => 1}, #{a => 1, b => 2}, maps:from_list([{N, N} || N <- lists:seq(1, 100)])]] end},
     {maps_not_walked, fun() -> [c(fun() -> map_walk(id(M)) end) || M <- [[], x]] end},
     {binaries, fun() -> <<_:3, Odd:100/binary, _/bits>> = <<1:3, (binary:copy(<<7, 9>>, 60))/binary, 0:5>>, [c(fun() -> binary(B) end) || B <- [<<>>, <<1>>, binary:copy(<<3>>, 64), binary:copy(<<4>>, 65), binary:copy(<<5>>, 5000), Odd, <<1:3>>, x, [1]]] end},
     {codeset, fun() -> codeset() end},
     {overrun, fun() -> overrun() end},
     {released, fun() -> [released() || _ <- lists:seq(1, 100)], ok end},
     {parts, fun() -> B = list_to_binary(lists:seq(0, 255)), [part(B, A, N) || {A, N} <- [{0, 0}, {0, 256}, {10, 1}, {200, 56}, {3, 100}]] end},
     {iolists, fun() -> [iolist(L) || L <- [[], <<>>, <<1, 2>>, [1, 2, [3, <<4, 5>>] | <<6>>], [256], [a], x, <<1:3>>, [binary:copy(<<1>>, 1000), 2]]] end},
     {etf, fun() -> [begin {A, B, C, D} = etf(T), {A, B, C =:= T, D =:= term_to_binary(T)} end || T <- terms()] end},
     {etf_unsafe, fun() -> unsafe_etf() end},
     {vectors, fun() -> [vector(L, N) || L <- [[], [<<1, 2>>], [<<1>>, <<>>, <<2>>], [binary:copy(<<N>>, 100) || N <- lists:seq(1, 40)], [<<1>> | x], [1], x], N <- [0, 1, 64]] end},
     {queues, fun() -> [queue(L) || L <- [[<<"abc">>, <<"defg">>], [<<>>, <<"h">>], [binary:copy(<<N>>, 70) || N <- lists:seq($a, $z)], [], [1]]] end},
     {exceptions, fun() -> [c(F) || F <- [fun() -> badarg(1, {x}) end, fun() -> raise(why) end, fun() -> raise_and_return("x") end, fun() -> ?MODULE:badarg([], []) end, fun() -> apply(?MODULE, raise, [y]) end]] end},
     {traces, fun() -> try 1 + badarg(1, 2) catch error:badarg:S -> [{F, A} || {M, F, A, _} <- S, M =:= ?MODULE, F =:= badarg] end end},
     {hashes, fun() -> [begin {A, B} = hashes(T, binary_to_term(term_to_binary(T))), {A =:= erlang:phash2(T, 1 bsl 32) orelse A =:= erlang:phash2(T), B} end || T <- terms(), not is_function(T)] end},
     {times, fun() -> [A, B, C, D, S, {_, _, _}, {_, _, _}, {U1, U2, M1, M2}] = times(), [A, B, C, D, abs(S - erlang:system_time(second)) < 3, U1 =/= U2, U2 > 0, M1 < M2] end},
     {print, fun() -> [print(T) || T <- [a, 1, [1, 2], {x, "y"}, <<1, 2>>, 'A b']] end},
     {processes, fun() -> [processes(self(), X) || X <- [self(), whereis(init), x, port(), make_ref()]] end},
     {dead, fun() -> {P, R} = spawn_monitor(fun() -> ok end), receive {'DOWN', R, _, _, _} -> ok end, {processes(self(), P), send_it(P, x)} end},
     {send, fun() -> [{send_it(self(), T), all() =:= [T, T, {again, T}]} || T <- [x, {1, "y", <<0:900>>}, lists:seq(1, 1000)]] end},
     {send_other, fun() -> Me = self(), P = spawn(fun() -> Me ! all() end), {send_it(P, {"term", Me}) , next() =:= [{"term", Me}, {"term", Me}, {again, {"term", Me}}]} end},
     {to_port, fun() -> P = open_port({spawn, "cat"}, [binary]), A = to_port(P, [<<"ab">>, $c]), B = receive {P, {data, D}} -> D after 2000 -> none end, port_close(P), {A, B, to_port(P, "x")} end},
     {thread, fun() -> {thread(), all()} end},
     {things, fun() -> {T, A, B} = new_thing(5), {is_reference(T), A, B, thing_number(T), thing_number(make_ref()), thing_number(x)} end},
     {things_end, fun() -> Me = self(), P = spawn(fun() -> {T, _, _} = new_thing(6), Me ! {self(), thing_number(T)}, receive stop -> thing_number(T) end, new_thing(7) end), N = receive {P, X} -> X end, garbage_collect(), P ! stop, {N, all()} end},
     {things_collected, fun() -> F = fun() -> thing_number(element(1, new_thing(8))) end, N = F(), id(F), garbage_collect(), {N, all()} end},
     {things_sent, fun() -> Me = self(), {T, _, _} = new_thing(9), P = spawn(fun() -> receive X -> Me ! {number, thing_number(X)} end end), P ! T, {all(), thing_number(T)} end},
     {things_written, fun() -> {T, _, _} = new_thing(10), B = term_to_binary(T), {thing_number(binary_to_term(B)), thing_number(T)} end},
     {things_in_tables, fun() -> E = ets:new(t, []), ets:insert(E, {k, element(1, new_thing(11))}), garbage_collect(), N = thing_number(ets:lookup_element(E, k, 2)), garbage_collect(), A = all(), ets:delete(E), {N, A, all()} end},
     {things_bytes, fun() -> F = fun() -> B = thing_bytes(12), {byte_size(B), binary:part(B, 250, 10)} end, R = F(), garbage_collect(), {R, all()} end},
     {watch, fun() -> {T, _, _} = new_thing(13), P = spawn(fun() -> receive X -> X end end), A = watch(T, P), B = length(element(2, process_info(P, monitored_by))), P ! x, {A, B, all(), unwatch(T), thing_number(T)} end},
     {watch_killed, fun() -> {T, _, _} = new_thing(14), P = spawn(fun() -> receive X -> X end end), A = watch(T, P), exit(P, kill), {A, all(), thing_number(T)} end},
     {unwatch, fun() -> {T, _, _} = new_thing(15), P = spawn(fun() -> receive X -> X end end), A = watch(T, P), B = unwatch(T), C = unwatch(T), P ! x, {A, B, C, all(), thing_number(T)} end},
     {watch_dead, fun() -> {T, _, _} = new_thing(16), {P, R} = spawn_monitor(fun() -> ok end), receive {'DOWN', R, _, _, _} -> ok end, {watch(T, P), thing_number(T)} end},
     {watch_ended, fun() -> Me = self(), P = spawn(fun() -> receive X -> X end end), {Q, R} = spawn_monitor(fun() -> {T, _, _} = new_thing(17), Me ! {watch(T, P), thing_number(T)} end), A = next(), receive {'DOWN', R, process, Q, _} -> ok end, B = process_info(P, monitored_by), P ! x, {A, B, all()} end},
     {dynamic, fun() -> {T, _, _} = new_thing(18), [dynamic(?MODULE, thing, T), dynamic(?MODULE, plain, T), dynamic(foo, thing, T), dynamic(?MODULE, thing, make_ref()), dynamic(1, thing, T), thing_number(T)] end},
     {timeslice, fun() -> alive_after() end},
     {chain, fun() -> [begin {done, L} = chain(N), [hd(lists:reverse(L)) || L =/= []] ++ [length(L)] end || N <- [0, 1, 5, 12]] end},
     {chain_kinds, fun() -> element(2, chain(9)) end},
     {chain_raises, fun() -> c(fun() -> chain(20) end) end},
     {chain_bad, fun() -> [c(fun() -> chain(x) end), c(fun() -> bad_schedule() end)] end},
     {dirty, fun() -> [[F(T) || F <- [fun dirty_cpu/1, fun dirty_io/1]] =:= [{K, self(), T, 1, element(5, dirty_cpu(T))} || K <- [2, 3]] || T <- terms()] end},
     {dirty_raises, fun() -> c(fun() -> dirty_raise({why, "x"}) end) end},
     {dirty_waits, fun() -> Me = self(), P = spawn(fun() -> Me ! {value, dirty_wait(300, Me)} end), {begun, 300} = next(), I = process_info(P, [status, current_function]), {I, is_process_alive(P), next(), next()} end},
     {dirty_killed, fun() -> Me = self(), {P, R} = spawn_monitor(fun() -> Me ! {value, dirty_wait(500, Me)} end), {begun, 500} = next(), exit(P, kill), D = receive {'DOWN', R, _, _, W} -> W after 5000 -> late end, {D, is_process_alive(P), next()} end},
     {dirty_messages, fun() -> Me = self(), P = spawn(fun() -> V = dirty_wait(200, Me), receive {m, M} -> Me ! {V, M} end end), {begun, 200} = next(), P ! {m, 1}, {next(), next()} end},
     {dirty_things, fun() -> {T, _, _} = new_thing(19), {_, _, U, _, _} = dirty_cpu({T}), {thing_number(element(1, U)), U =:= {T}} end},
     {info, fun() -> {A, B, C, D, E, F} = info(), {A, B, C, D =:= erlang:system_info(version), E, F} end},
     {environment, fun() -> os:putenv("T_NIF_VAR", "some value"), environment() end},
     {private, fun() -> private() end},
     {module_info, fun() -> [length(?MODULE:module_info(nifs)), hd(?MODULE:module_info(nifs)), lists:member({load, 2}, ?MODULE:module_info(nifs))] end},
     {loops, fun() -> lists:foldl(fun(N, A) -> A + nothing(N) end, 0, lists:seq(1, 100000)) end},
     {garbage, fun() -> lists:sum([length(element(5, list_to_tuple(list(lists:seq(1, 100))))) || _ <- lists:seq(1, 5000)]) end},
     {garbage_of_binaries, fun() -> [binary(binary:copy(<<7>>, 5000)) || _ <- lists:seq(1, 2000)], ok end},
     {reload, fun() -> load(library(), 0) end}].

cases() ->
    [{not_found, fun() -> load("/no/such/library", 0) end},
     {not_a_path, fun() -> [cr(fun() -> load(id(P), 0) end) || P <- [x, [x], [a | b], 1]] end},
     {applied, fun() -> apply(erlang, id(load_nif), ["x", 0]) end},
     {not_loaded, fun() -> c(fun() -> nothing() end) end},
     {refused, fun() -> case library() of P when is_list(P) -> {load(P, 17), cr(fun() -> nothing() end)}; W -> W end end},
     {loaded, fun() -> loaded() end}
     | [{Name, fun() -> with(F) end} || {Name, F} <- calls()]].
