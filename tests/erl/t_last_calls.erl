%% processes
%% What a process has called last (`process_flag(save_calls, N)`).
-module(t_last_calls).
-export([ext/1, tail/1, count/1, woken/1]).
-include("diff.hrl").

ext(X) -> X.
tail(X) -> ?MODULE:ext(X).
local(X) -> {X}.
count(0) -> ok;
count(N) -> ?MODULE:count(N - 1).
woken(S) -> receive x -> S ! {kept, kept()} end.

kept() -> {last_calls, L} = process_info(self(), last_calls), L.

keep(N, F) ->
    process_flag(save_calls, N),
    F(),
    L = kept(),
    process_flag(save_calls, 0),
    L.

flag(Flag, Value) -> c(fun() -> process_flag(id(Flag), id(Value)) end).

cases() ->
    [{off, fun() -> kept() end},
     {on_off, fun() -> A = process_flag(save_calls, 5), B = kept(), C = process_flag(save_calls, 0), [A, B, C, kept()] end},
     {local, fun() -> keep(10, fun() -> local(1) end) end},
     {by_name, fun() -> keep(10, fun() -> ?MODULE:ext(1), ?MODULE:tail(2) end) end},
     {bifs, fun() -> keep(10, fun() -> lists:reverse([1, 2], id([])), put(a, b), binary:copy(<<1>>, id(3)), erlang:make_tuple(2, a), monitor(process, self()) end) end},
     {guards, fun() -> keep(10, fun() -> X = id(a), [length([X]), tuple_size({X}), map_size(#{X => 1}), element(1, {X})] end) end},
     {messages, fun() -> keep(10, fun() -> self() ! a, receive a -> ok end, receive b -> ok after 0 -> ok end, receive b -> ok after 1 -> ok end end) end},
     {send, fun() -> keep(10, fun() -> erlang:send(self(), a), erlang:send(self(), a, []), receive a -> ok end, receive a -> ok end end) end},
     {applied, fun() -> keep(10, fun() -> M = id(?MODULE), M:ext(1), apply(M, ext, id([2])), F = fun M:ext/1, F(3), G = fun(X) -> X end, G(1), apply(F, id([1])), apply(G, id([1])), apply(erlang, apply, id([M, ext, [1]])) end) end},
     {undefined, fun() -> lists:sublist(keep(100, fun() -> catch ?MODULE:nope(1) end), 2) end},
     {raised, fun() -> keep(10, fun() -> catch throw(id(b)), catch exit(id(c)), catch erlang:error(id(a), [b]), catch atom_to_list(id(1)) end) end},
     {library, fun() -> keep(20, fun() -> lists:map(fun(X) -> X end, id([1, 2])), lists:sort(id([2, 1, 3])), lists:keyfind(a, 1, id([])) end) end},
     {yields, fun() -> keep(10, fun() -> erlang:yield(), binary:copy(<<1>>, id(3)) end) end},
     {the_last_ones, fun() -> keep(3, fun() -> ?MODULE:count(10), ?MODULE:ext(1) end) end},
     {many, fun() -> L = keep(10000, fun() -> ?MODULE:count(20000) end), {length(L), lists:usort(L)} end},
     {begins_again, fun() -> process_flag(save_calls, 3), ?MODULE:count(4), A = kept(), process_flag(save_calls, 5), B = kept(), ?MODULE:ext(1), C = kept(), process_flag(save_calls, 0), [A, B, C] end},
     {wrong, fun() -> [flag(save_calls, N) || N <- [-1, 10001, a, 1 bsl 64]] end},
     {not_inherited, fun() -> process_flag(save_calls, 9), {P, M} = spawn_monitor(fun() -> exit(kept()) end), R = receive {'DOWN', M, _, P, W} -> W end, process_flag(save_calls, 0), R end},
     {of_another, fun() ->
         P = spawn(fun Loop() -> receive {do, From} -> ?MODULE:count(1), From ! done, Loop() end end),
         P ! {do, self()}, receive done -> ok end,
         A = process_flag(P, save_calls, 10),
         P ! {do, self()}, receive done -> ok end,
         {last_calls, L} = process_info(P, last_calls),
         B = process_flag(P, save_calls, 2),
         C = process_info(P, last_calls),
         D = process_flag(P, save_calls, 0),
         E = process_info(P, last_calls),
         exit(P, kill),
         [A, L, B, C, D, E] end},
     {hibernates, fun() ->
         S = self(),
         P = spawn(fun() -> process_flag(save_calls, 10), S ! begins, erlang:hibernate(?MODULE, woken, [S]) end),
         receive begins -> P ! x end,
         receive {kept, L} -> L end end},
     {collects, fun() -> L = keep(50, fun() -> [?MODULE:ext(lists:seq(1, 1000)) || _ <- lists:seq(1, 40)] end), lists:usort(L) end}].
