%% releases: 27 29
%% Code that no compiler makes, put together from a compiler's assembly: what is loaded must not be able to
%% do harm, and does what it does on BEAM.
-module(t_odd_code27).
-include("diff.hrl").

%% The assembly of a module, its function f changed by a fun, as a loadable binary.
asm(Text, Edit) ->
    {ok, Tokens, _} = erl_scan:string(Text),
    Forms = [begin {ok, F} = erl_parse:parse_form(T), F end || T <- split(Tokens, [])],
    {ok, M, {M, Exports, Attributes, Functions, Labels}} = compile:forms(Forms, [to_asm, binary, no_postopt]),
    Changed = [{function, N, A, E, case N of f -> lists:flatmap(Edit, Is); _ -> Is end} || {function, N, A, E, Is} <- Functions],
    Code = {M, Exports, Attributes, Changed, Labels},
    {ok, Binary} = case code:ensure_loaded(beam_asm) of
                       _ -> case erlang:function_exported(beam_asm, module, 4) of
                                true -> beam_asm:module(Code, [], [], [{compile, []}]);
                                false -> beam_asm:module(Code, [], [], [{compile, []}], [])
                            end
                   end,
    {M, Binary}.

split([], []) -> [];
split([{dot, _} = D | T], A) -> [lists:reverse([D | A]) | split(T, [])];
split([H | T], A) -> split(T, [H | A]).

load(Text, Edit) ->
    {M, B} = asm(Text, Edit),
    {module, M} = code:load_binary(M, atom_to_list(M), B),
    M.

drop(M) -> code:purge(M), code:delete(M), code:purge(M).

%% What is done with the match context of the binary that f/1 takes.
context(Then) ->
    M = load("-module(t_odd_ctx). -export([f/1]). f(<<A:8, R/bits>>) -> {A, R}.",
             fun({test, bs_start_match3, _, _, _, Ctx} = I) -> [I | Then(Ctx)];
                ({test, bs_start_match4, _, _, _, Ctx} = I) -> [I | Then(Ctx)];
                ({bs_start_match4, _, _, _, Ctx} = I) -> [I | Then(Ctx)];
                (I) -> [I]
             end),
    R = M:f(<<1, 2, 3, (binary:copy(<<7>>, 100))/binary>>),
    drop(M),
    R.

returned() -> context(fun(Ctx) -> [{move, Ctx, {x, 0}}, return] end).

%% Reads an X register that no path has set, behind an instruction that leaves it undefined.
undefined_x(Before) ->
    M = load("-module(t_odd_x). -export([f/1, g/0]). f(X) -> g(), X. g() -> ok.",
             fun(return) -> Before ++ [{move, {x, 3}, {x, 0}}, return]; (I) -> [I] end),
    %% Registers that others have left behind must not be seen.
    _ = spread(a, b, c, lists:seq(1, 100), e),
    R = M:f(1),
    drop(M),
    R.

spread(A, B, C, D, E) -> {A, B, C, length(D), E}.

old_tuple(M, N, T) ->
    [begin
         M:f(T, lists:seq(I, I + 100)),
         erlang:garbage_collect(self(), [{type, minor}]),
         {L, _} = T,
         L =:= lists:seq(I, I + 100)
     end || I <- lists:seq(1, N)].

cases() ->
    [{context_returned, fun() -> B = returned(), {is_binary(B), byte_size(B), B =:= <<1, 2, 3, (binary:copy(<<7>>, 100))/binary>>} end},
     {context_compared, fun() -> B = returned(), {B == binary:copy(B), B < <<2>>, B =:= <<1>>} end},
     {context_hashed, fun() -> B = returned(), {erlang:phash2(B), erlang:phash(B, 1000), #{B => 1} =:= #{binary:copy(B) => 1}} end},
     {context_sent, fun() -> B = returned(), S = self(), P = spawn(fun() -> receive X -> S ! {got, X} end end), P ! B, receive {got, X} -> X =:= B end end},
     {context_to_self, fun() -> self() ! returned(), receive X -> byte_size(X) end end},
     {context_stored, fun() -> T = ets:new(t, []), ets:insert(T, {k, returned()}), [{k, B}] = ets:lookup(T, k), put(k, returned()), {byte_size(B), byte_size(erase(k))} end},
     {context_encoded, fun() -> B = returned(), {binary_to_term(term_to_binary(B)) =:= B, erlang:md5(B), iolist_size([B, B])} end},
     {context_printed, fun() -> lists:flatten(io_lib:format("~P", [returned(), 6])) end},
     {context_collected, fun() -> B = returned(), L = [B, returned()], garbage_collect(), [byte_size(X) || X <- L] end},
     {context_tested, fun() -> B = returned(), {is_bitstring(B), is_tuple(B), is_list(B), bit_size(B), binary:at(B, 1)} end},
     {context_matched, fun() -> <<A, B/bits>> = returned(), {A, byte_size(B)} end},
     {context_persistent, fun() -> persistent_term:put(t_odd, returned()), R = byte_size(persistent_term:get(t_odd)), persistent_term:erase(t_odd), R end},
     {undefined_x_after_call, fun() -> is_pid(spawn(fun() -> undefined_x([]) end)) end},
     {set_in_old_tuple, fun() ->
              M = load("-module(t_odd_set). -export([f/2]). f(T, V) -> g(T, V). g(_, _) -> ok.",
                       fun(I) when element(1, I) =:= call_only -> [{set_tuple_element, {x, 1}, {x, 0}, 0}, return]; (I) -> [I] end),
              T = {a, lists:seq(1, 10)},
              garbage_collect(), garbage_collect(),
              R = lists:usort(old_tuple(M, 50, T)),
              drop(M),
              R
      end},
     {no_such_guard_bif, fun() ->
              {M, B} = asm("-module(t_odd_bif). -export([f/1]). f(X) -> hd(X).",
                           fun({bif, _, F, A, D}) -> [{bif, no_such_function, F, A, D}]; (I) -> [I] end),
              code:load_binary(M, "t_odd_bif", B)
      end}].
