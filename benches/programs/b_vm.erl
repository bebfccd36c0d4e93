%% pattern dispatch: an interpreter of a small register machine.
%% repeat: 2
-module(b_vm).
-export([run/0]).
run() -> exec(0, program(), {0, 900000, 0, 1}, 0).
program() ->
    {{loadi, 1, 0}, {addr, 1, 2}, {andi, 3, 1023}, {muli, 3, 5}, {addi, 3, 7}, {jodd, 3, 8}, {addi, 1, 3}, {jmp, 9}, {addi, 1, 1}, {dec, 2}, {jnz, 2, 1}, halt}.
exec(Pc, P, R, N) ->
    case element(Pc + 1, P) of
        {loadi, D, V} -> exec(Pc + 1, P, setelement(D, R, V), N + 1);
        {addr, D, S} -> exec(Pc + 1, P, setelement(D, R, (element(D, R) + element(S, R)) band 16#FFFFFFFF), N + 1);
        {addi, D, V} -> exec(Pc + 1, P, setelement(D, R, element(D, R) + V), N + 1);
        {muli, D, V} -> exec(Pc + 1, P, setelement(D, R, element(D, R) * V), N + 1);
        {andi, D, V} -> exec(Pc + 1, P, setelement(D, R, element(D, R) band V), N + 1);
        {dec, D} -> exec(Pc + 1, P, setelement(D, R, element(D, R) - 1), N + 1);
        {jmp, To} -> exec(To, P, R, N + 1);
        {jodd, S, To} -> case element(S, R) band 1 of 1 -> exec(To, P, R, N + 1); 0 -> exec(Pc + 1, P, R, N + 1) end;
        {jnz, S, To} -> case element(S, R) of 0 -> exec(Pc + 1, P, R, N + 1); _ -> exec(To, P, R, N + 1) end;
        halt -> {R, N}
    end.
