%% A library in Rust, by the crate for native libraries: its example is built here, where there is a compiler, and loaded.
-module(t_native).
-include("diff.hrl").

sources() -> filename:join([os:getenv("DIFF_SOURCE_DIR"), "..", "..", "native"]).

%% The module loaded with its library; or why it is not.
loaded() ->
    case code:is_loaded(words) of
        {file, _} -> ok;
        false ->
            case built() of
                ok ->
                    {ok, words, Code} = compile:file(filename:join([sources(), "examples", "words"]), [binary]),
                    {module, words} = code:load_binary(words, "words.beam", Code),
                    words:load(path("words_nif"), 0);
                Why -> Why
            end
    end.

path(Name) ->
    {ok, Here} = file:get_cwd(),
    filename:join(Here, Name).

built() ->
    case os:find_executable("rustc") of
        false -> there_is_no_rustc;
        Rustc ->
            Run = fun(Options, Source) ->
                os:cmd(Rustc ++ " --edition 2024 -C opt-level=1 -C debuginfo=0 " ++ Options ++ " " ++ filename:join(sources(), Source))
            end,
            Told = [Run("--crate-type rlib --crate-name enigma_native --out-dir " ++ path(""), "src/lib.rs"),
                    Run("--crate-type cdylib --extern enigma_native=" ++ path("libenigma_native.rlib") ++ " -o " ++ path("words_nif.so"), "examples/words.rs")],
            case filelib:is_file(path("words_nif.so")) of
                true -> ok;
                false -> {not_built, Told}
            end
    end.

with(F) ->
    case loaded() of
        ok -> F();
        Why -> Why
    end.

%% The next message, but none that a counter has sent when a former case had let go of it.
next() -> next(20000).
next(Time) -> receive {w, _} -> next(Time); X -> X after Time -> nothing end.

terms() ->
    [0, -1, 1 bsl 62, 1 bsl 63, 1 bsl 64, -(1 bsl 63), -(1 bsl 63) - 1, 1.5, a, '', 'åäö', list_to_atom([1000, 955]), list_to_atom(lists:duplicate(255, $y)), list_to_atom(lists:duplicate(255, 955)),
     [], [1, 2], [a | b], "text", {}, {1, b, "c"}, <<>>, <<"text">>, <<255, 1>>, <<0:900>>, <<5:3>>, #{}, #{a => 1, "b" => 2.0}, maps:from_list([{N, -N} || N <- lists:seq(1, 100)]),
     self(), make_ref(), fun lists:map/2].

%% Calls F in a process that has ended when this returns; a reference that it held is gone then.
elsewhere(F) ->
    {P, M} = spawn_monitor(fun() -> exit({value, F()}) end),
    receive {'DOWN', M, process, P, {value, V}} -> V; {'DOWN', M, process, P, R} -> {down, R} end.

cases() -> [{Name, fun() -> with(F) end} || {Name, F} <- calls()].

calls() ->
    [{split, fun() -> B = iolist_to_binary(lists:duplicate(100, "some words and more\n ")), [words:split(T) || T <- [<<>>, " ", "one", <<" one  two ">>, ["li", <<"st of">>, $ , "things"], B]] end},
     {split_errors, fun() -> [c(fun() -> words:split(T) end) || T <- [a, [a], <<1:3>>, [256]]] end},
     {split_shares, fun() -> W = binary:copy(<<"w">>, 100), [_, P | _] = words:split(<<W/binary, " ", W/binary, " ", W/binary>>), {P =:= W, binary:referenced_byte_size(P) > 250} end},
     {counter, fun() -> C = words:new(), {is_reference(C), words:add(C, "a b a"), words:add(C, [<<"b ">>, "a c"]), words:counts(C), words:add(C, <<>>)} end},
     {counter_errors, fun() -> C = words:new(), [c(F) || F <- [fun() -> words:add(make_ref(), "a") end, fun() -> words:add(C, a) end, fun() -> words:counts(words:keep("x")) end, fun() -> words:counts(x) end]] end},
     {counter_from_many, fun() ->
          C = words:new(), Ps = [spawn_monitor(fun() -> [words:add(C, "x y") || _ <- lists:seq(1, 100)] end) || _ <- lists:seq(1, 10)],
          [receive {'DOWN', M, process, P, R} -> R end || {P, M} <- Ps], words:counts(C) end},
     {destroyed, fun() ->
          Self = self(), P = spawn(fun() -> C = words:new(), words:add(C, "a b c"), receive {tell, T} -> words:tell_when_gone(C, T) end, Self ! {held, C}, receive stop -> ok end end),
          M = monitor(process, P), P ! {tell, {told, "x"}}, C = receive {held, X} -> X end, N = words:add(C, "d"), P ! stop, receive {'DOWN', M, _, _, R} -> R end, {N, words:counts(C)} end},
     {destroyed_told, fun() ->
          Self = self(), P = spawn(fun() -> receive C -> words:tell_when_gone(C, {told, "x"}), Self ! done end, receive M -> Self ! M end end),
          elsewhere(fun() -> C = words:new(), words:add(C, "p q"), P ! C, receive after 0 -> ok end end), receive done -> ok end, garbage_collect(P), next() end},
     {down, fun() ->
          C = words:new(), words:tell_when_gone(C, w), P = spawn(fun() -> receive stop -> ok end end), W = words:watch(C, P), P ! stop, {w, down, Q, Known} = next(),
          {W, Q =:= P, Known, words:watch(C, P), words:add(C, "still")} end},
     {unwatch, fun() ->
          C = words:new(), words:tell_when_gone(C, w), P = spawn(fun() -> receive stop -> ok end end), true = words:watch(C, P), U = words:unwatch(C), M = monitor(process, P), P ! stop,
          receive {'DOWN', M, _, _, _} -> ok end, {U, c(fun() -> words:unwatch(C) end), receive {w, down, _, _} = Late -> Late after 50 -> none end} end},
     {watch_errors, fun() -> [c(fun() -> words:watch(words:new(), X) end) || X <- [a, make_ref(), 1]] end},
     {dirty, fun() ->
          ok = file:write_file("counted", "one two\nthree"), [c(fun() -> words:count_file(F) end) || F <- [<<"counted">>, <<"not there">>, <<255>>, "list"]] end},
     {from_thread, fun() -> [{words:count_later(T, K), next()} || {T, K} <- [{"a b c", x}, {<<>>, {y, [1]}}, {lists:duplicate(3000, "word "), make}]] end},
     {from_thread_to_dead, fun() -> elsewhere(fun() -> words:count_later("a b", gone) end) end},
     {timeslices, fun() -> L = lists:duplicate(50000, <<"seven b">>), {words:length_sum(L), words:length_sum([<<"abc">>]), words:length_sum([])} end},
     {timeslice_errors, fun() -> [c(fun() -> words:length_sum(L) end) || L <- [a, [<<>> | a], [a], lists:duplicate(1000, <<>>) ++ [b]]] end},
     {schedulers, fun() -> [cr(fun() -> element(1, words:scheduler(S)) end) || S <- [normal, cpu, io, other, "none"]] end},
     {schedulers_alive, fun() -> [element(2, words:scheduler(S)) || S <- [normal, cpu, io]] end},
     {resource_binary, fun() ->
          T = words:keep(binary:copy(<<"kept ">>, 100)), Ps = [words:part_of_kept(T, A, B) || {A, B} <- [{0, 500}, {5, 9}, {0, 0}, {499, 500}]], garbage_collect(), {Ps, [c(fun() -> words:part_of_kept(T, A, B) end) || {A, B} <- [{0, 501}, {5, 4}, {-1, 2}]]} end},
     {resource_binary_outlives, fun() -> B = elsewhere(fun() -> words:part_of_kept(words:keep(binary:copy(<<"0123456789">>, 30)), 10, 290) end), garbage_collect(), {byte_size(B), erlang:md5(B)} end},
     {repeat, fun() -> [cr(fun() -> words:repeat(B, N) end) || {B, N} <- [{<<"ab">>, 3}, {<<>>, 5}, {<<"x">>, 0}, {<<1, 2, 3>>, 100}, {"ab", 1}, {<<"a">>, 65536}, {<<"a">>, -1}]] end},
     {describe, fun() -> [begin D = words:describe(T), case element(2, D) of T -> {same, element(1, D)}; V when is_pid(V) -> pid; V -> {element(1, D), V} end end || T <- terms()] end},
     {maps, fun() -> [cr(fun() -> words:change(M, K, v) end) || M <- [#{}, #{a => 1}, maps:from_list([{N, N} || N <- lists:seq(1, 50)]), []], K <- [a, 1, 1.0]] end},
     {numbers, fun() -> [words:numbers(N) || N <- [0, -1, 127, 128, -128, -129, 255, 256, 32768, 1 bsl 31, 1 bsl 32, 1 bsl 63, 1 bsl 64, -(1 bsl 63), 1.25, true, false, a, {1, <<"t">>}, {1, "t"}, {1}, 1.0e308]] end},
     {failures, fun() -> [c(fun() -> words:fail(H) end) || H <- [x, panic, infinite, long, "no atom"]] end},
     {copies, fun() -> [begin {A, B, Same, Sent} = words:twice(T), {A =:= T, B =:= T, Same, Sent, next() =:= T, next() =:= T} end || T <- terms()] end},
     {external, fun() -> [begin {B, T2, Wrong} = words:external(T), {binary_to_term(B) =:= T, T2 =:= T, Wrong} end || T <- terms()] end},
     {order, fun() -> [words:order(A, B) || A <- [1, 1.0, a, "a", {1}, <<1>>], B <- [1, 1.0, a, "a", {1}, <<1>>]] end},
     {about, fun() ->
          register(t_native_here, self()), Self = self(), F = fun(N) -> {Me, P, A, R} = words:about(N), {Me =:= Self, P =:= Self orelse P, A, R} end, [F(t_native_here), F(t_native_nobody), F(list_to_atom([1000])), begin unregister(t_native_here), F(t_native_here) end] end},
     {select, fun() ->
          P = words:pipe(), Ref = make_ref(), A = words:pipe_select(P, Ref), N = words:pipe_write(P, "abc"), {select, P2, Ref, ready_input} = next(), R1 = words:pipe_read(P),
          B = words:pipe_select(P, undefined), words:pipe_write(P, "de"), {select, P, U, ready_input} = next(), R2 = words:pipe_read(P), D = words:pipe_select(P, {mine, "x"}), words:pipe_write(P, "f"), M = next(),
          R3 = words:pipe_read(P), E = words:pipe_close(P), {A, N, P2 =:= P, R1, B, U, R2, D, M, R3, E, next(), c(fun() -> words:pipe_read(P) end)} end},
     {select_cancel, fun() -> P = words:pipe(), A = words:pipe_select(P, x), B = words:pipe_select(P, cancel), C = words:pipe_select(P, cancel), words:pipe_write(P, "y"), {A, B, C, next(50), words:pipe_close(P), next()} end},
     {select_invalid, fun() -> P = words:pipe(), {words:pipe_select(P, invalid), words:pipe_close(P), next()} end},
     {loaded_again, fun() ->
          C = words:new(), words:add(C, "kept"), Again = words:load(path("words_nif"), 0), {error, {Again1, _}} = Again,
          {ok, words, Code} = compile:file(filename:join([sources(), "examples", "words"]), [binary]), {module, words} = code:load_binary(words, "words.beam", Code),
          Refused = words:load(path("words_nif"), refuse), {error, {R1, _}} = Refused, Not = cr(fun() -> words:new() end), New = words:load(path("words_nif"), 0),
          {Again1, R1, Not, New, words:add(C, "more"), words:counts(C), code:soft_purge(words), words:counts(C), words:counts(words:new())} end}].
